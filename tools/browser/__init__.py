"""JupyterLab in a browser, for tests, pictures and benchmarks."""

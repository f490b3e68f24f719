"""Clusters of Docker containers: the engine, the image, what a crashed session left behind, and the cluster itself."""

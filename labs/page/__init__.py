"""What is different where the lab runs in a web page: no processes, no threads, files that the browser keeps."""

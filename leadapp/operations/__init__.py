"""Work of operators and of the deliverer process."""

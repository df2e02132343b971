"""Pages and plots to look at."""

"""Who works through many things: this process, several, or a cluster of machines."""

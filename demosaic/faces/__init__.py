"""Finding the faces in a photo, and remembering where they are."""

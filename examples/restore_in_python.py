"""A pixelated picture restored in Python: python restore_in_python.py MODEL PICTURE RESULT."""

import sys

from PIL import Image

import demosaic

if len(sys.argv) != 4:
    sys.exit("usage: python restore_in_python.py MODEL PICTURE RESULT")
model_file, picture_file, result_file = sys.argv[1:]
model = demosaic.load_model(model_file)  # once, for any number of pictures
restored = demosaic.restore(picture_file, model=model, config=demosaic.RestoreConfig(realism=0.5))
for region in restored.regions:
    sys.stdout.write(f"{region}\n")
Image.fromarray(restored.picture).save(result_file)

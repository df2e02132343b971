"""A pixelated picture restored in ten lines: python restore_in_python.py MODEL PICTURE RESULT."""

import sys
from pathlib import Path

from demosaic.config.compute import DeviceConfig
from demosaic.config.restoration import RestoreConfig
from demosaic.imaging.decoding import read_image
from demosaic.imaging.encoding import write_png
from demosaic.models.checkpoint import load_model
from demosaic.models.compute import choose
from demosaic.restoration.image import restore_image

model_path, picture, result = map(Path, sys.argv[1:])
compute, _ = choose(DeviceConfig())
model = load_model(model_path, compute.device)
restored = restore_image(read_image(picture), model, RestoreConfig(realism=0.5), compute)
for region in restored.regions:
    sys.stdout.write(f"{region}\n")
write_png(result, restored.image)

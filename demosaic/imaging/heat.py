"""Numbers of a picture's pixels as colours."""

import cv2
import numpy as np

from demosaic.imaging.arrays import Floats, Pixels


def heat_map(values: Floats, most: float) -> Pixels:
    """The picture (H, W, 3) of values (H, W): black at 0, by violet, orange and yellow to white at
    `most` and above.
    """
    levels = np.clip(np.rint(values * (255 / most)), 0, 255).astype(np.uint8)
    coloured = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)
    return np.asarray(cv2.cvtColor(coloured, cv2.COLOR_BGR2RGB), np.uint8)

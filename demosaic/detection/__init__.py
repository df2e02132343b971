"""Where mosaics are in a picture, and the grid of their cells.

`detector.find_mosaics` is the entry. A lossless file goes through `lossless` (with `flat_cells`),
any other through `candidates`, then `fit`: `periodicity`, `extent`, `refinement`, `lookalikes` and
`outline` (with `ellipse`). `known_cells` looks for cells whose size the user gives. `jpeg_blocks`
says what JPEG's own blocks explain, `thresholds` has every tuned number. `sampler` decides how a
cell's colour was computed.
"""

"""MediaPipe's short-range face network, from its wheel to the ONNX file in the package.

    pip install "mediapipe<0.10.30" tflite onnx
    python tools/convert_face_model.py demosaic/faces/face-short-range.onnx

The weights stay the half-precision values of the original file. The layout becomes ONNX's: the
input is (1, 3, 128, 128), and boxes (1, 896, 16) and score logits (1, 896, 1) come out in
MediaPipe's order of anchors. The same input gives the same file, byte for byte.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SOURCE = "modules/face_detection/face_detection_short_range.tflite"
SOURCE_SHA256 = "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
OPSET = 13
OPERATORS = {
    number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)
}
NUMBERS = {tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.INT32: np.int32}


class Source:
    """The graph in a TensorFlow Lite file: its operators, shapes and stored tensors."""

    def __init__(self, data: bytes) -> None:
        self._model = tflite.Model.GetRootAsModel(data, 0)
        self._graph = self._model.Subgraphs(0)
        self.operators = [
            self._graph.Operators(number) for number in range(self._graph.OperatorsLength())
        ]
        self.outputs = [int(tensor) for tensor in self._graph.OutputsAsNumpy()]

    def kind(self, operator: Any) -> str:
        """The operator's name, such as CONV_2D."""
        return str(OPERATORS[self._model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()])

    def options(self, operator: Any, kind: type) -> Any:
        """The operator's options, as the class `kind` reads them."""
        read = kind()
        table = operator.BuiltinOptions()
        read.Init(table.Bytes, table.Pos)
        return read

    def shape(self, tensor: int) -> list[int]:
        """The tensor's shape, channels last."""
        return [int(side) for side in self._graph.Tensors(tensor).ShapeAsNumpy()]

    def stored(self, tensor: int) -> NDArray[Any]:
        """The numbers of a tensor that is part of the file."""
        held = self._graph.Tensors(tensor)
        data = self._model.Buffers(held.Buffer()).DataAsNumpy()
        return np.frombuffer(data.tobytes(), NUMBERS[held.Type()]).reshape(self.shape(tensor))


class Converter:
    """Builds the ONNX graph, operator by operator."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.halves: dict[int, NDArray[np.float16]] = {}
        """The half-precision weights behind each tensor of single precision."""

    def convert(self) -> onnx.ModelProto:
        """The whole graph."""
        steps: dict[str, Callable[[Any], None]] = {
            "DEQUANTIZE": self._weights,
            "CONV_2D": self._convolution,
            "DEPTHWISE_CONV_2D": self._depthwise,
            "MAX_POOL_2D": self._pooling,
            "PAD": self._more_channels,
            "RESHAPE": self._anchors,
            "RELU": lambda operator: self._add("Relu", operator),
            "ADD": lambda operator: self._add("Add", operator),
            "CONCATENATION": lambda operator: self._add("Concat", operator, axis=1),
        }
        for operator in self.source.operators:
            steps[self.source.kind(operator)](operator)
        return self._model()

    def _model(self) -> onnx.ModelProto:
        def described(name: str, *shape: int) -> onnx.ValueInfoProto:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        boxes, scores = map(tensor_name, self.source.outputs)
        self.nodes += [
            helper.make_node("Identity", [boxes], ["boxes"]),
            helper.make_node("Identity", [scores], ["scores"]),
        ]
        graph = helper.make_graph(
            self.nodes,
            "MediaPipe face detection, short range",
            [described("picture", 1, 3, 128, 128)],
            [described("boxes", 1, 896, 16), described("scores", 1, 896, 1)],
            self.weights,
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _add(self, kind: str, operator: Any, names: list[str] | None = None, **more: Any) -> None:
        """A node that computes what the operator computes, from its inputs unless others are
        named.
        """
        names = names or [tensor_name(tensor) for tensor in operator.InputsAsNumpy()]
        output = tensor_name(operator.Outputs(0))
        self.nodes.append(helper.make_node(kind, names, [output], **more))

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _weights(self, operator: Any) -> None:
        self.halves[operator.Outputs(0)] = self.source.stored(operator.Inputs(0))

    def _single(self, tensor: int, value: NDArray[np.float16]) -> str:
        """The name of stored weights, once they are in single precision."""
        half = self._constant(f"half_{tensor}", value)
        self.nodes.append(
            helper.make_node("Cast", [half], [tensor_name(tensor)], to=TensorProto.FLOAT)
        )
        return tensor_name(tensor)

    def _convolution(self, operator: Any) -> None:
        weights = self.halves[operator.Inputs(1)].transpose(0, 3, 1, 2)
        options = self.source.options(operator, tflite.Conv2DOptions)
        self._convolve(operator, options, weights, groups=1)

    def _depthwise(self, operator: Any) -> None:
        weights = self.halves[operator.Inputs(1)].transpose(3, 0, 1, 2)
        options = self.source.options(operator, tflite.DepthwiseConv2DOptions)
        self._convolve(operator, options, weights, groups=len(weights))

    def _convolve(
        self, operator: Any, options: Any, weights: NDArray[np.float16], groups: int
    ) -> None:
        assert options.FusedActivationFunction() == tflite.ActivationFunctionType.NONE
        picture, kernels, bias = (int(tensor) for tensor in operator.InputsAsNumpy())
        names = [
            tensor_name(picture),
            self._single(kernels, weights),
            self._single(bias, self.halves[bias]),
        ]
        window = self._window(operator, weights.shape[2], options)
        self._add("Conv", operator, names, group=groups, **window)

    def _pooling(self, operator: Any) -> None:
        options = self.source.options(operator, tflite.Pool2DOptions)
        self._add("MaxPool", operator, **self._window(operator, options.FilterHeight(), options))

    def _window(self, operator: Any, kernel: int, options: Any) -> dict[str, Any]:
        """Kernel, stride and padding of square windows; what is odd of TensorFlow's `SAME` padding
        goes behind.
        """
        stride, side = options.StrideH(), self.source.shape(operator.Inputs(0))[1]
        missing = max(0, (-(-side // stride) - 1) * stride + kernel - side)
        if options.Padding() == tflite.Padding.VALID:
            missing = 0
        before, behind = missing // 2, missing - missing // 2
        pads = [before, before, behind, behind]
        return {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": pads}

    def _more_channels(self, operator: Any) -> None:
        """Channels of zeros behind those there are."""
        added = self.source.stored(operator.Inputs(1))
        behind = int(added[3, 1])
        assert added.sum() == behind, "only channels are padded in this network"
        pads = np.array([0, 0, 0, 0, 0, behind, 0, 0], np.int64)
        name = self._constant(f"pads_{operator.Outputs(0)}", pads)
        self._add("Pad", operator, [tensor_name(operator.Inputs(0)), name])

    def _anchors(self, operator: Any) -> None:
        """A map (1, C, h, w) as (1, anchors, numbers): channels last, as MediaPipe counts them."""
        target = operator.Outputs(0)
        last = f"channels_last_{target}"
        source = tensor_name(operator.Inputs(0))
        self.nodes.append(helper.make_node("Transpose", [source], [last], perm=[0, 2, 3, 1]))
        shape = np.array(self.source.shape(target), np.int64)
        self._add("Reshape", operator, [last, self._constant(f"shape_{target}", shape)])


def tensor_name(tensor: int) -> str:
    """The ONNX name of a tensor; 0 is the picture."""
    return f"tensor_{tensor}" if tensor else "picture"


def main() -> None:
    """Write the file named on the command line."""
    spec = importlib.util.find_spec("mediapipe")
    if spec is None or spec.origin is None:
        sys.exit('mediapipe is not installed: pip install "mediapipe<0.10.30"')
    data = (Path(spec.origin).parent / SOURCE).read_bytes()
    if hashlib.sha256(data).hexdigest() != SOURCE_SHA256:
        sys.exit(f"{SOURCE} is another network than the one this script was written for")
    converted = Converter(Source(data)).convert().SerializeToString(deterministic=True)
    Path(sys.argv[1]).write_bytes(converted)
    sys.stdout.write(f"{len(converted)} bytes, sha256 {hashlib.sha256(converted).hexdigest()}\n")


if __name__ == "__main__":
    main()

# demosaic for a server: no screen, no GPU.
#     docker build --tag demosaic .
#     docker run --rm --volume "$PWD:/work" --user "$(id --user):$(id --group)" demosaic doctor
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
RUN pip install --no-cache-dir uv
WORKDIR /source
COPY . .
# The headless OpenCV needs no libGL; PyTorch's CPU build needs no gigabytes of GPU libraries
RUN echo "opencv-python ; sys_platform == 'never'" > /tmp/overrides.txt
RUN uv venv /opt/demosaic \
    && uv pip install --python /opt/demosaic --torch-backend cpu --no-cache --compile-bytecode \
        --constraint constraints.txt --override /tmp/overrides.txt \
        '.[onnx,video]' 'opencv-python-headless>=4.10,<6'

FROM python:${PYTHON}-slim
COPY --from=build /opt/demosaic /opt/demosaic
RUN useradd --create-home demosaic
ENV PATH=/opt/demosaic/bin:$PATH
USER demosaic
WORKDIR /work
ENTRYPOINT ["demosaic"]

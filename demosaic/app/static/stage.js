// A picture with boxes over it, which pointer and keys move, and layers that lie over what was.
// All places are in pixels of the picture.

const SVG = "http://www.w3.org/2000/svg";
const LEAST = 8; // px; the smallest box that is drawn
const THINNEST = 3; // px on the screen; smaller cells would hide the picture behind their lines
const TALLEST = 78; // hundredths of the window's height

let count = 0;

function made(name, attributes = {}, children = []) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}

const within = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

// Where a cell begins after the corner of its box moved: the cells stay where they are
const moved = (offset, side, by) => (((offset - by) % side) + side) % side;

export class Stage {
  // `noun` names a box; `changed` hears which box was changed, with true for a new one.
  constructor(svg, { noun, changed, selected, compared }) {
    this.svg = svg;
    this.noun = noun;
    this.changed = changed;
    this.selected = selected;
    this.compared = compared;
    this.boxes = [];
    this.chosen = -1;
    this.mode = "edit";
    this.adding = false;
    this.size = [1, 1];
    this.edge = 0.5;
    const id = `after-${++count}`;
    this.before = made("image");
    this.clip = made("rect");
    this.layers = made("g", { "clip-path": `url(#${id})` });
    this.line = made("line", { class: "edge-line" });
    this.over = made("g");
    const clip = made("clipPath", { id }, [this.clip]);
    svg.replaceChildren(clip, this.before, this.layers, this.line, this.over);
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.drag?.(event));
    for (const end of ["pointerup", "pointercancel"])
      svg.addEventListener(end, (event) => this.release(event));
    svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(svg);
  }

  show(url, width, height, boxes) {
    this.size = [width, height];
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    for (const one of [this.before, this.clip]) {
      one.setAttribute("width", width);
      one.setAttribute("height", height);
    }
    this.svg.style.maxWidth = `${Math.round((TALLEST * width) / height)}vh`;
    this.before.setAttribute("href", url);
    this.boxes = boxes;
    this.chosen = boxes.length ? 0 : -1;
    this.layer([]);
    this.setMode("edit");
  }

  setMode(mode) {
    this.mode = mode;
    this.svg.dataset.mode = mode;
    this.draw();
  }

  // Pictures over the picture: [{ url, box, opacity }].
  layer(pictures) {
    const images = pictures.map(({ url, box, opacity }) => {
      const [x, y, width, height] = box;
      const places = { x, y, width, height, preserveAspectRatio: "none" };
      return made("image", { href: url, opacity, ...places });
    });
    this.layers.replaceChildren(...images);
  }

  setEdge(share) {
    this.edge = within(share, 0, 1);
    this.draw();
  }

  get scale() {
    return 1 / (this.svg.getScreenCTM()?.a || 1);
  }

  // Drawing

  draw() {
    const [width, height] = this.size;
    const edge = this.mode === "compare" ? this.edge * width : 0;
    this.clip.setAttribute("x", edge);
    for (const [name, value] of Object.entries({ x1: edge, x2: edge, y1: 0, y2: height }))
      this.line.setAttribute(name, value);
    const shown = this.mode === "edit" ? this.boxes : [];
    const focused = document.activeElement?.dataset?.box;
    const hadFocus = focused !== undefined && this.over.contains(document.activeElement);
    this.over.replaceChildren(...shown.map((box, number) => this.drawn(box, number)));
    if (hadFocus) this.over.children[focused]?.focus({ preventScroll: true });
  }

  drawn(one, number) {
    const [x, y, width, height] = one.box;
    const isChosen = number === this.chosen;
    const group = made("g", {
      class: isChosen ? "box chosen" : "box",
      tabindex: 0,
      role: "button",
      "data-box": number,
      "aria-pressed": isChosen,
      "aria-label": `${this.noun} ${number + 1}, ${width} by ${height} px at ${x}, ${y}. ${one.label}. Arrow keys move it, with Shift they resize it, Delete removes it.`,
    });
    if (one.block) group.append(made("path", { class: "cells", d: this.cells(one) }));
    group.append(made("rect", { class: "outline", x, y, width, height }));
    group.append(this.tag(one, number));
    if (isChosen) {
      const side = 12 * this.scale;
      for (const [name, right, bottom] of [["nw", 0, 0], ["ne", 1, 0], ["sw", 0, 1], ["se", 1, 1]])
        group.append(
          made("rect", {
            class: `handle ${name}`,
            "data-corner": name,
            x: x + right * width - side / 2,
            y: y + bottom * height - side / 2,
            width: side,
            height: side,
          }),
        );
    }
    group.addEventListener("focus", () => this.choose(number));
    return group;
  }

  cells({ box: [x, y, width, height], block, offset }) {
    if (Math.min(...block) / this.scale < THINNEST) return "";
    const lines = [];
    for (let at = moved(offset[0], block[0], 0); at < width; at += block[0])
      if (at > 0.5) lines.push(`M${x + Math.round(at)} ${y}v${height}`);
    for (let at = moved(offset[1], block[1], 0); at < height; at += block[1])
      if (at > 0.5) lines.push(`M${x} ${y + Math.round(at)}h${width}`);
    return lines.join("");
  }

  tag({ box: [x, y, , height] }, number) {
    const size = 13 * this.scale;
    const text = String(number + 1);
    const width = (0.65 * text.length + 0.7) * size;
    const top = y >= 1.6 * size ? y - 1.6 * size : Math.min(y, this.size[1] - 1.6 * size);
    return made("g", { class: "tag", "font-size": size }, [
      made("rect", { x, y: top, width, height: 1.5 * size, rx: size / 4 }),
      made("text", { x: x + width / 2, y: top + 1.1 * size, "text-anchor": "middle" }, [text]),
    ]);
  }

  // Changing

  choose(number) {
    if (number === this.chosen) return;
    this.chosen = number;
    this.draw();
    this.selected(number);
  }

  // Set where a box is; its cells stay where they are in the picture.
  place(number, box) {
    const one = this.boxes[number];
    const [x, y] = one.box;
    if (one.block)
      one.offset = [
        moved(one.offset[0], one.block[0], box[0] - x),
        moved(one.offset[1], one.block[1], box[1] - y),
      ];
    one.box = box;
    this.draw();
    this.changed(number, false);
  }

  add(box) {
    this.boxes.push({ box, block: null, offset: [0, 0], found: -1, label: "Drawn by hand" });
    this.chosen = this.boxes.length - 1;
    this.draw();
    this.changed(this.chosen, true);
  }

  // A box in the middle, for those who do not draw.
  addInMiddle() {
    const [width, height] = this.size;
    const side = Math.max(LEAST, Math.round(Math.min(width, height) / 3));
    this.add([Math.round((width - side) / 2), Math.round((height - side) / 2), side, side]);
    this.over.lastElementChild?.focus();
  }

  remove(number) {
    this.boxes.splice(number, 1);
    this.chosen = Math.min(number, this.boxes.length - 1);
    this.draw();
    this.changed(-1, false);
  }

  setAdding(on) {
    this.adding = on;
    this.svg.classList.toggle("adding", on);
  }

  // Pointer and keys

  at(event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    const { x, y } = point.matrixTransform(this.svg.getScreenCTM().inverse());
    return [within(Math.round(x), 0, this.size[0]), within(Math.round(y), 0, this.size[1])];
  }

  press(event) {
    if (event.button || this.drag) return;
    if (this.mode === "compare") this.drag = (moving) => this.follow(moving);
    else if (this.mode === "edit") this.drag = this.dragOf(event);
    if (!this.drag) return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    this.drag(event);
  }

  follow(event) {
    this.setEdge(this.at(event)[0] / this.size[0]);
    this.compared?.(this.edge);
  }

  // What a pointer that was pressed here does; a finger on the plain picture scrolls the page.
  dragOf(event) {
    const start = this.at(event);
    const group = event.target.closest(".box");
    if (group && !this.adding) {
      const number = Number(group.dataset.box);
      const corner = event.target.dataset.corner;
      this.choose(number);
      this.over.children[number]?.focus({ preventScroll: true });
      const box = this.boxes[number].box;
      return (moving) => this.place(number, corner ? this.resized(box, corner, this.at(moving)) : this.shifted(box, start, this.at(moving)));
    }
    if (!this.adding && event.pointerType !== "mouse") return null;
    this.drawing = [...start, 0, 0];
    return (moving) => {
      const [x, y] = this.at(moving);
      this.drawing = [Math.min(x, start[0]), Math.min(y, start[1]), Math.abs(x - start[0]), Math.abs(y - start[1])];
      this.sketch();
    };
  }

  sketch() {
    const [x, y, width, height] = this.drawing;
    this.sketched ??= this.svg.appendChild(made("rect", { class: "outline sketch" }));
    for (const [name, value] of Object.entries({ x, y, width, height })) this.sketched.setAttribute(name, value);
  }

  release() {
    this.drag = null;
    this.sketched?.remove();
    this.sketched = undefined;
    const box = this.drawing;
    this.drawing = undefined;
    if (!box || Math.min(box[2], box[3]) < LEAST) return;
    this.setAdding(false);
    this.add(box);
  }

  shifted([x, y, width, height], from, to) {
    return [
      within(x + to[0] - from[0], 0, this.size[0] - width),
      within(y + to[1] - from[1], 0, this.size[1] - height),
      width,
      height,
    ];
  }

  resized([x, y, width, height], corner, [px, py]) {
    const right = x + width;
    const bottom = y + height;
    const left = corner.includes("w") ? within(px, 0, right - LEAST) : x;
    const top = corner.includes("n") ? within(py, 0, bottom - LEAST) : y;
    const end = corner.includes("e") ? within(px, left + LEAST, this.size[0]) : right;
    const foot = corner.includes("s") ? within(py, top + LEAST, this.size[1]) : bottom;
    return [left, top, end - left, foot - top];
  }

  key(event) {
    const number = Number(event.target.closest?.(".box")?.dataset.box ?? -1);
    if (number < 0) return;
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.remove(number);
      (this.over.children[this.chosen] ?? this.svg).focus?.();
      return;
    }
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [x, y, width, height] = this.boxes[number].box;
    const box = event.shiftKey
      ? this.resized([x, y, width, height], "se", [x + width + step[0], y + height + step[1]])
      : this.shifted([x, y, width, height], [0, 0], step);
    this.place(number, box);
  }
}

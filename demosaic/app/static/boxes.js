// The list of boxes beside a picture: a line for each, and its numbers to set by hand.

function field(label, value, set, { min = 0, step = "1" } = {}) {
  const input = document.createElement("input");
  Object.assign(input, { type: "number", min, step, value });
  input.addEventListener("change", () => {
    const number = input.valueAsNumber;
    if (Number.isFinite(number) && number >= min) set(number);
    else input.value = value;
  });
  const outer = document.createElement("label");
  outer.append(`${label} `, input);
  return outer;
}

function button(text, press) {
  const one = document.createElement("button");
  one.type = "button";
  one.textContent = text;
  one.addEventListener("click", press);
  return one;
}

function fields(...all) {
  const row = document.createElement("div");
  row.className = "fields";
  row.append(...all);
  return row;
}

const rounded = (number) => Math.round(number * 100) / 100;

export class BoxList {
  // `title(box)` says what a box is. With `measure` boxes have cells.
  constructor(list, stage, { title, measure, none }) {
    Object.assign(this, { list, stage, title, measure, none });
  }

  // The list anew; the input that had the keyboard has it again.
  show() {
    const focused = [...this.list.querySelectorAll("input, button, summary")].indexOf(document.activeElement);
    this.build();
    if (focused >= 0) this.list.querySelectorAll("input, button, summary")[focused]?.focus();
  }

  build() {
    const open = this.stage.chosen;
    if (!this.stage.boxes.length) {
      const empty = document.createElement("p");
      empty.className = "soft small";
      empty.textContent = this.none;
      this.list.replaceChildren(empty);
      return;
    }
    this.list.replaceChildren(...this.stage.boxes.map((box, number) => this.item(box, number, number === open)));
  }

  item(box, number, isOpen) {
    const item = document.createElement("details");
    item.open = isOpen;
    const summary = document.createElement("summary");
    summary.textContent = `${this.stage.noun} ${number + 1}: ${this.title(box)}`;
    summary.addEventListener("click", (event) => {
      if (item.open) return;
      event.preventDefault();
      this.stage.choose(number);
    });
    item.append(summary, ...(isOpen ? this.numbers(box, number) : []));
    return item;
  }

  numbers(one, number) {
    const place = (part) => (value) => {
      const [width, height] = this.stage.size;
      const box = [...one.box];
      box[part] = Math.round(value);
      box[0] = Math.min(box[0], width - 1);
      box[1] = Math.min(box[1], height - 1);
      box[2] = Math.max(1, Math.min(box[2], width - box[0]));
      box[3] = Math.max(1, Math.min(box[3], height - box[1]));
      this.stage.place(number, box);
    };
    const rows = [
      fields(...["Left", "Top", "Width", "Height"].map((name, part) => field(name, one.box[part], place(part)))),
    ];
    if (this.measure) rows.push(...this.grid(one, number));
    const buttons = document.createElement("div");
    buttons.className = "actions small";
    if (this.measure) buttons.append(button("Find the cells", () => this.measure(number)));
    buttons.append(button("Remove", () => this.stage.remove(number)));
    return [...rows, buttons];
  }

  grid(one, number) {
    const set = (part, side) => (value) => {
      one.block ??= [16, 16];
      one[part][side] = value;
      one.label = "Cells set by hand";
      this.stage.draw();
      this.stage.changed(number, false);
    };
    const block = one.block ?? ["", ""];
    const offset = one.block ? one.offset.map(rounded) : ["", ""];
    return [
      fields(
        field("Cell width", block[0], set("block", 0), { min: 2, step: "any" }),
        field("Cell height", block[1], set("block", 1), { min: 2, step: "any" }),
        field("Offset x", offset[0], set("offset", 0), { step: "any" }),
        field("Offset y", offset[1], set("offset", 1), { step: "any" }),
      ),
    ];
  }
}

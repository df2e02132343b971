// The first tab: find mosaics, correct them, restore, compare, download.

import { Work, clipSuffix, save, stem, upload } from "./api.js";
import { BoxList } from "./boxes.js";
import { Stage } from "./stage.js";

const side = (number) => String(Math.round(number * 100) / 100);

function title(one) {
  if (!one.block) return "no cells yet";
  const [across, down] = one.block.map(side);
  const from = one.offset.map(side).join(", ");
  return `${across} x ${down} px cells, offset ${from}, ${one.label}`;
}

const sure = (confidence) => `${Math.round(100 * confidence)} % sure`;

export function startRestoring(program) {
  const panel = document.getElementById("restore");
  const one = (selector) => panel.querySelector(selector);
  const named = (name) => one(`[name=${name}]`);
  const work = new Work(panel);
  const state = { file: null, upload: "", made: null, draw: 0, stale: false };

  const stage = new Stage(one(".stage"), {
    noun: "Mosaic",
    changed(number, isNew) {
      if (number >= 0) forget(stage.boxes[number]);
      list.show();
      setStale();
      one(".add").setAttribute("aria-pressed", stage.adding);
      if (isNew) measure(number);
    },
    selected: () => list.show(),
    compared: (edge) => (named("edge").value = 100 * edge),
  });
  const list = new BoxList(one(".boxes"), stage, {
    title,
    measure,
    none: "No mosaic was found. Draw a box around it: press the mouse and drag, or use the button.",
  });

  // A box that was changed is no longer the one that was found
  function forget(box) {
    if (box.found >= 0 && box.box.join() !== box.original.join()) box.found = -1;
  }

  const asked = () =>
    stage.boxes.map(({ box, block, offset, found }) => ({ box, block, offset, found }));

  function setStale() {
    state.stale = Boolean(state.made);
    one(".work > .side .go").textContent = state.stale ? "Restore again" : "Restore";
  }

  function measure(number) {
    return work.attempt(async () => {
      const box = stage.boxes[number];
      const { mosaic } = await work.run("measure", {
        upload: state.upload,
        mosaic: { box: box.box, found: -1 },
      });
      Object.assign(box, { block: mosaic.block, offset: mosaic.offset, label: sure(mosaic.confidence) });
      stage.draw();
      list.show();
    });
  }

  function begin(file) {
    Object.assign(state, { file, made: null, draw: 0, stale: false });
    panel.classList.remove("has-result", "has-spread");
    panel.classList.add("has-file");
    one(".work").hidden = one(".clip").hidden = true;
    const suffix = clipSuffix(file.name);
    return work.attempt(() => (suffix ? beginClip(suffix) : beginPicture()));
  }

  async function beginPicture() {
    work.say("Reading the file");
    state.upload = await upload(state.file);
    const found = await work.run("find", { upload: state.upload });
    if (found.frames > 1) return showFrames(`This file has ${found.frames} pictures. Every mosaic found in any of them is restored.`);
    one(".work").hidden = false;
    showNotes(one(".work .notes"), found.notes);
    const boxes = found.mosaics.map((mosaic) => ({
      ...mosaic,
      original: [...mosaic.box],
      label: sure(mosaic.confidence),
    }));
    stage.show(found.file("shown.png"), found.width, found.height, boxes);
    list.show();
    setStale();
    setMode("edit");
    const count = boxes.length;
    work.say(count ? `${count === 1 ? "One mosaic" : `${count} mosaics`} found.` : "No mosaic found.");
    return found;
  }

  function showNotes(list, notes) {
    list.replaceChildren(
      ...notes.map((note) => {
        const item = document.createElement("li");
        item.textContent = note[0].toUpperCase() + note.slice(1);
        return item;
      }),
    );
  }

  // Restoring a picture

  async function restore() {
    if (!stage.boxes.length) throw new Error("Draw a box around each mosaic first.");
    const mosaics = asked();
    const values = {
      upload: state.upload,
      mosaics,
      seed: named("seed").valueAsNumber || 0,
      draws: Math.min(8, named("draws").valueAsNumber || 1),
      spread: named("spread").checked,
      quality: named("quality").value,
    };
    const made = await work.run("restore", values);
    state.made = { ...made, values, boxes: mosaics.map(({ box }) => box) };
    state.draw = 0;
    panel.classList.add("has-result");
    panel.classList.toggle("has-spread", made.spread > 0);
    one(".spread-note").textContent = `Where draws differ, the cells do not say what was there. White: ${Math.round(made.spread)} grey levels and more.`;
    setStale();
    state.stale = false;
    one(".work > .side .go").textContent = "Restore again";
    showDraws();
    setMode("compare");
    work.say("Restored. Drag the edge to compare.");
  }

  function layers() {
    const { boxes, steps, file } = state.made;
    const realism = named("realism").valueAsNumber;
    const mean = (number) => ({ url: file(`mean-${number}.png`), box: boxes[number], opacity: 1 });
    const drawn = (step, opacity) => (number) => ({
      url: file(`draw-${state.draw}-${step}-${number}.png`),
      box: boxes[number],
      opacity,
    });
    const all = [...boxes.keys()];
    if (steps.length === 1) return all.map(mean);
    const [, middle] = steps;
    if (realism <= middle) return [...all.map(mean), ...all.map(drawn(1, realism / middle))];
    return [...all.map(drawn(1, 1)), ...all.map(drawn(2, (realism - middle) / (1 - middle)))];
  }

  function showLayers() {
    named("realism").previousElementSibling.textContent = named("realism").value;
    if (!state.made) return;
    const { boxes, file } = state.made;
    if (stage.mode === "spread")
      stage.layer(boxes.map((box, number) => ({ url: file(`spread-${number}.png`), box, opacity: 1 })));
    else stage.layer(stage.mode === "compare" ? layers() : []);
  }

  function setMode(mode) {
    one(`[name=mode][value=${mode}]`).checked = true;
    panel.dataset.mode = mode;
    stage.setMode(mode);
    showLayers();
  }

  function showDraws() {
    const { draws, boxes, file, values } = state.made;
    const largest = boxes.reduce((best, box, number) => (box[2] * box[3] > boxes[best][2] * boxes[best][3] ? number : best), 0);
    const choices = [...Array(draws > 1 ? draws : 0).keys()].map((draw) => {
      const choice = document.createElement("label");
      const input = Object.assign(document.createElement("input"), { type: "radio", name: "draw", checked: !draw });
      const picture = Object.assign(document.createElement("img"), {
        src: file(`draw-${draw}-2-${largest}.png`),
        alt: `Draw ${draw + 1}, seed ${values.seed + draw}`,
      });
      input.addEventListener("change", () => {
        state.draw = draw;
        setMode("compare");
      });
      choice.append(input, picture);
      return choice;
    });
    one(".draws").replaceChildren(...choices);
  }

  async function download() {
    if (state.stale) await restore();
    const { values } = state.made;
    const { upload, mosaics, quality } = values;
    const seed = values.seed + state.draw;
    const realism = named("realism").valueAsNumber;
    const made = await work.run("write", { upload, mosaics, quality, seed, realism });
    const name = `${stem(state.file.name)}.restored${made.suffix}`;
    save(made.file("result"), name);
    work.say(`Saved as ${name}.`);
  }

  // Clips and animations

  async function beginClip(suffix) {
    if (!program.clips) throw new Error("Clips need PyAV: pip install 'demosaic-faces[video]'");
    work.say("Reading the clip");
    state.upload = await upload(state.file, suffix);
    work.say("");
    showFrames(`${state.file.name}: every mosaic found in any frame is restored. Sound and times stay.`);
  }

  function showFrames(text) {
    const clip = one(".clip");
    clip.hidden = false;
    clip.querySelector(".about").textContent = text;
    clip.querySelector("video").hidden = clip.querySelector(".animation").hidden = true;
    clip.querySelector(".download").hidden = true;
    showNotes(clip.querySelector(".notes"), []);
  }

  async function restoreClip() {
    const clip = one(".clip");
    const realism = named("clip-realism").valueAsNumber;
    const made = await work.run("restore-frames", { upload: state.upload, realism });
    state.made = made;
    const isClip = clipSuffix(`x${made.suffix}`);
    const shown = clip.querySelector(isClip ? "video" : ".animation");
    shown.src = made.file("result");
    shown.hidden = clip.querySelector(".download").hidden = false;
    showNotes(clip.querySelector(".notes"), made.notes);
    work.say("Restored.");
  }

  // Controls

  const clipRealism = named("clip-realism");
  const showClipRealism = () => (clipRealism.previousElementSibling.textContent = clipRealism.value);
  clipRealism.addEventListener("input", showClipRealism);
  showClipRealism();
  one(".clip .go").addEventListener("click", () => work.attempt(restoreClip));
  one(".clip .download").addEventListener("click", () =>
    save(state.made.file("result"), `${stem(state.file.name)}.restored${state.made.suffix}`),
  );
  one(".work .go").addEventListener("click", () => work.attempt(restore));
  one(".work .download").addEventListener("click", () => work.attempt(download));
  one(".add").addEventListener("click", (event) => {
    setMode("edit");
    if (event.detail) stage.setAdding(!stage.adding);
    else stage.addInMiddle();
    one(".add").setAttribute("aria-pressed", stage.adding);
  });
  for (const mode of panel.querySelectorAll("[name=mode]"))
    mode.addEventListener("change", () => setMode(mode.value));
  named("edge").addEventListener("input", () => stage.setEdge(named("edge").value / 100));
  named("realism").addEventListener("input", showLayers);
  for (const name of ["seed", "draws", "quality", "spread"]) named(name).addEventListener("change", setStale);
  if (!program.draws)
    for (const name of ["seed", "draws", "spread"]) named(name).disabled = true;
  named("realism").disabled = clipRealism.disabled = !program.sharp;
  one(".hint.edit").textContent =
    "Drag a box or its corners, or draw a new one. Keys: arrows move, Shift and arrows resize, Delete removes.";
  showLayers();
  return begin;
}

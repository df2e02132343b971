// The second tab: find faces, mark those that were missed, hide them, download.

import { Work, clipSuffix, save, stem, upload } from "./api.js";
import { BoxList } from "./boxes.js";
import { Stage } from "./stage.js";

const UNSURE = 0.6; // score of a find that may be no face

function title(one) {
  if (one.score === undefined) return "drawn by hand";
  const percent = `${Math.round(100 * one.score)} % sure`;
  return one.score < UNSURE ? `${percent}: is it a face?` : percent;
}

export function startHiding(program) {
  const panel = document.getElementById("hide");
  const one = (selector) => panel.querySelector(selector);
  const named = (name) => one(`[name=${name}]`);
  const work = new Work(panel);
  const state = { file: null, upload: "", made: null };

  const stage = new Stage(one(".stage"), {
    noun: "Face",
    changed() {
      list.show();
      setStale();
      one(".add").setAttribute("aria-pressed", stage.adding);
    },
    selected: () => list.show(),
    compared: (edge) => (named("hide-edge").value = 100 * edge),
  });
  const list = new BoxList(one(".boxes"), stage, {
    title,
    none: "No face was found. Draw a box around each: press the mouse and drag, or use the button.",
  });

  function setStale() {
    state.made = null;
    panel.classList.remove("has-result");
    if (stage.mode === "compare") setMode("edit");
  }

  function setMode(mode) {
    one(`[name=hide-mode][value=${mode}]`).checked = true;
    panel.dataset.mode = mode;
    stage.setMode(mode);
    const [width, height] = stage.size;
    const box = [0, 0, width, height];
    stage.layer(mode === "compare" && state.made ? [{ url: state.made.file("shown.png"), box, opacity: 1 }] : []);
  }

  function begin(file) {
    state.file = file;
    panel.classList.add("has-file");
    one(".work").hidden = one("video").hidden = true;
    panel.classList.remove("has-result");
    panel.classList.toggle("is-clip", Boolean(clipSuffix(file.name)));
    if (clipSuffix(file.name)) return work.attempt(beginClip);
    return work.attempt(async () => {
      work.say("Reading the file");
      state.upload = await upload(file);
      const found = await work.run("find-faces", { upload: state.upload });
      one(".work").hidden = false;
      const boxes = found.faces.map(({ box, score }) => ({ box, score, label: title({ score }) }));
      stage.show(found.file("shown.png"), found.width, found.height, boxes);
      showNotes(found.notes);
      list.show();
      setStale();
      setMode("edit");
      const count = boxes.length;
      const words = count === 1 ? "One face" : `${count || "No"} face${count ? "s" : ""}`;
      work.say(`${words} found. Mark each face that was missed.`);
    });
  }

  async function beginClip() {
    if (!program.clips) throw new Error("Clips need PyAV: pip install 'demosaic-faces[video]'");
    work.say("Reading the clip");
    state.upload = await upload(state.file, clipSuffix(state.file.name));
    one(".work").hidden = false;
    state.made = null;
    showNotes([]);
    work.say("Faces are looked for in every frame, and followed.");
  }

  function showNotes(notes) {
    one(".notes").replaceChildren(
      ...notes.map((note) => Object.assign(document.createElement("li"), { textContent: note[0].toUpperCase() + note.slice(1) })),
    );
  }

  const style = () => ({
    style: one("[name=style]:checked").value,
    shape: named("ellipse").checked ? "ellipse" : "box",
    block: named("strength").valueAsNumber,
  });

  async function hideInClip() {
    state.made = await work.run("hide-frames", { upload: state.upload, ...style() });
    panel.classList.add("has-result");
    one("video").src = state.made.file("result");
    one("video").hidden = false;
    showNotes(state.made.notes);
    work.say("Hidden. Look at every part of it for faces that still show.");
  }

  async function hide() {
    if (panel.classList.contains("is-clip")) return hideInClip();
    if (!stage.boxes.length) throw new Error("Draw a box around each face first.");
    state.made = await work.run("hide", {
      upload: state.upload,
      boxes: stage.boxes.map(({ box }) => box),
      ...style(),
    });
    panel.classList.add("has-result");
    stage.setEdge(0);
    named("hide-edge").value = 0;
    setMode("compare");
    work.say("Hidden. Look for faces that still show.");
  }

  async function download() {
    if (!state.made) await hide();
    const name = `${stem(state.file.name)}.hidden${state.made.suffix}`;
    save(state.made.file("result"), name);
    work.say(`Saved as ${name}.`);
  }

  function showStrength() {
    const style = one("[name=style]:checked").value;
    const percent = Math.round(100 * named("strength").valueAsNumber);
    one(".strength").hidden = style === "solid";
    one(".strength output").textContent =
      style === "mosaic" ? `cells of ${percent} % of the box` : `blurred over ${percent} % of the box`;
  }

  one(".go").addEventListener("click", () => work.attempt(hide));
  one(".download").addEventListener("click", () => work.attempt(download));
  one(".add").addEventListener("click", (event) => {
    setMode("edit");
    if (event.detail) stage.setAdding(!stage.adding);
    else stage.addInMiddle();
    one(".add").setAttribute("aria-pressed", stage.adding);
  });
  for (const mode of panel.querySelectorAll("[name=hide-mode]"))
    mode.addEventListener("change", () => setMode(mode.value));
  named("hide-edge").addEventListener("input", () => stage.setEdge(named("hide-edge").value / 100));
  for (const input of panel.querySelectorAll(".styles input"))
    input.addEventListener("input", () => {
      showStrength();
      setStale();
    });
  one(".hint.edit").textContent =
    "Drag a box or its corners, or draw a new one. Keys: arrows move, Shift and arrows resize, Delete removes.";
  showStrength();
  return begin;
}

// The tabs, and files that are chosen, dropped or pasted.

import { about } from "./api.js";
import { startAudit } from "./audit.js";
import { startHiding } from "./hide.js";
import { startRestoring } from "./restore.js";

// The token is kept in a cookie now: it need not stay in the address, nor in the history
history.replaceState(null, "", "/");

const tabs = [...document.querySelectorAll("[role=tab]")];
const panel = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

function choose(tab) {
  for (const one of tabs) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", chosen);
    one.tabIndex = chosen ? 0 : -1;
    panel(one).hidden = !chosen;
  }
  tab.focus();
}

for (const [number, tab] of tabs.entries()) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) choose(tabs[(number + step + tabs.length) % tabs.length]);
  });
}

const takers = new Map();

function take(files) {
  const shown = tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
  const taker = takers.get(panel(shown));
  if (taker && files.length) taker(files[0]);
}

for (const input of document.querySelectorAll(".drop input")) {
  input.addEventListener("change", () => {
    take(input.files);
    input.value = ""; // so that the same file can be chosen again
  });
}
const drops = [...document.querySelectorAll(".drop")];
const mark = (on) => drops.forEach((drop) => drop.classList.toggle("over", on));
addEventListener("dragover", (event) => {
  event.preventDefault();
  mark(true);
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) mark(false);
});
addEventListener("drop", (event) => {
  event.preventDefault();
  mark(false);
  take(event.dataTransfer.files);
});
addEventListener("paste", (event) => take(event.clipboardData.files));

const program = await about();
document.getElementById("about").textContent = `Restores with ${program.model}.`;
takers.set(document.getElementById("restore"), startRestoring(program));
takers.set(document.getElementById("hide"), startHiding(program));
takers.set(document.getElementById("audit"), startAudit(program));
document.body.dataset.ready = "yes";

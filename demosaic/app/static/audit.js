// The third tab: the audit of the folder that was given at the start.

import { Work, save } from "./api.js";

export function startAudit(program) {
  const panel = document.getElementById("audit");
  if (!program.album) return;
  const work = new Work(panel);
  const frame = panel.querySelector("iframe");
  const download = panel.querySelector(".download");
  const go = panel.querySelector(".go");
  panel.querySelector(".without").hidden = true;
  panel.querySelector(".with").hidden = false;
  panel.querySelector(".album").textContent = program.album;
  let report = "";
  go.addEventListener("click", () =>
    work.attempt(async () => {
      go.disabled = true;
      try {
        const found = await work.run("audit", {});
        report = found.file("report");
        frame.src = report;
        frame.hidden = download.hidden = false;
        work.say(found.finding);
      } finally {
        go.disabled = false;
      }
    }),
  );
  download.addEventListener("click", () => save(report, "audit.html"));
}

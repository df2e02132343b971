// The third tab: the audit of the folder that was given at the start.

import { Work, save, upload } from "./api.js";

export function startAudit(program) {
  const panel = document.getElementById("audit");
  if (!program.album) return null;
  const one = (selector) => panel.querySelector(selector);
  const named = (name) => one(`[name=audit-${name}]`);
  const work = new Work(panel);
  const like = one(".like input");
  let report = "";
  one(".without").hidden = true;
  one(".with").hidden = false;
  one(".album").textContent = program.album;

  // With a published picture the rest does not count: the picture shows how faces are hidden
  function show() {
    const isLike = like.files.length > 0;
    const style = named("style").value;
    for (const name of ["style", "shape", "strength"]) named(name).disabled = isLike;
    one(".strength").hidden = style === "solid";
    const percent = `${Math.round(100 * named("strength").valueAsNumber)} % of the face`;
    one(".strength output").textContent = style === "mosaic" ? `cells of ${percent}` : `over ${percent}`;
  }

  async function audit() {
    one(".go").disabled = true;
    try {
      const file = like.files[0];
      const found = await work.run("audit", {
        style: named("style").value,
        shape: named("shape").value,
        block: named("strength").valueAsNumber,
        upload: file ? await upload(file) : null,
        faces: named("faces").checked,
      });
      report = found.file("report");
      one("iframe").src = report;
      one("iframe").hidden = one(".download").hidden = false;
    } finally {
      one(".go").disabled = false;
    }
  }

  for (const input of panel.querySelectorAll("fieldset :is(input, select)")) input.addEventListener("input", show);
  one(".go").addEventListener("click", () => work.attempt(audit));
  one(".download").addEventListener("click", () => save(report, "audit.html"));
  show();
  return (file) => {
    const list = new DataTransfer();
    list.items.add(file);
    like.files = list.files;
    show();
  };
}

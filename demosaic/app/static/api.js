// Requests to the server of this page, and jobs that are followed until they end.

const PAUSE = 250; // ms between two looks at a job

export class Cancelled extends Error {}

async function answer(response) {
  const said = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(said.error || "demosaic no longer runs. Start it again.");
  return said;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("demosaic no longer runs. Start it again, and open the new address.");
  }
  if (response.status === 403)
    throw new Error("demosaic was started anew. Open the address that it printed.");
  return answer(response);
}

export const about = () => ask("/about");

export async function upload(file, suffix = "") {
  const query = suffix ? `?suffix=${encodeURIComponent(suffix)}` : "";
  return (await ask(`/uploads${query}`, { method: "POST", body: file })).id;
}

const sleep = (time) => new Promise((done) => setTimeout(done, time));

// Shows one job at a time in a panel: what it does, how far it is, and a button to cancel it.
export class Work {
  constructor(panel) {
    this.text = panel.querySelector(".status [role=status]");
    this.bar = panel.querySelector(".status progress");
    this.button = panel.querySelector(".status .cancel");
    this.buttons = panel.getElementsByTagName("button");
    this.job = null;
    this.turn = 0;
    this.button.addEventListener("click", () => this.cancel());
  }

  say(text, isError = false) {
    this.text.textContent = text;
    this.text.classList.toggle("error", isError);
  }

  async cancel() {
    if (!this.job) return;
    this.say("Stopping after this step");
    await ask(`/jobs/${this.job}`, { method: "DELETE" }).catch(() => {});
  }

  // What a job found. Starting another one in this panel cancels it.
  async run(task, values) {
    const turn = ++this.turn;
    if (this.job) await this.cancel();
    const body = JSON.stringify({ task, ...values });
    let state = await ask("/jobs", { method: "POST", body });
    if (turn === this.turn) this.begin(state.id);
    try {
      while (state.state === "waiting" || state.state === "working") {
        if (turn === this.turn) this.show(state);
        await sleep(PAUSE);
        state = await ask(`/jobs/${state.id}`);
      }
    } finally {
      if (turn === this.turn) this.end();
    }
    if (state.state === "failed") throw new Error(state.error);
    if (state.state === "cancelled" || turn !== this.turn) throw new Cancelled("Cancelled.");
    return { ...state.result, file: (name) => `/jobs/${state.id}/${name}` };
  }

  begin(job) {
    this.job = job;
    this.bar.hidden = this.button.hidden = false;
    this.bar.removeAttribute("value");
  }

  end() {
    this.job = null;
    this.bar.hidden = this.button.hidden = true;
    this.say("");
  }

  show(state) {
    if (state.state === "waiting") this.say("Waiting for other work to end, in another tab perhaps");
    else this.say(state.step);
    if (!state.total) return;
    this.bar.max = state.total;
    this.bar.value = state.done;
  }

  // Runs an action of the user; what goes wrong is said.
  async attempt(action) {
    try {
      return await action();
    } catch (error) {
      this.say(error.message, !(error instanceof Cancelled));
      return null;
    }
  }
}

export function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

const CLIPS = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|ts|mts|m2ts|wmv|flv|3gp|3g2|ogv|vob)$/i;

// The suffix of a clip's name in lower case; empty for a picture
export const clipSuffix = (name) => (name.match(CLIPS)?.[0] ?? "").toLowerCase();

export const stem = (name) => name.replace(/\.[^.]*$/, "") || "picture";

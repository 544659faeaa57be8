// Tells a screen reader only what changed among the open verdicts, keeps unfolded what was unfolded, and
// lets people pause the refresh.
"use strict";
(() => {
  const live = document.getElementById("live");
  const announce = document.getElementById("announce");
  const controls = document.getElementById("controls");
  let paused = false;

  const open = () => new Map([...live.querySelectorAll("[data-verdict]")].map((item) =>
    [item.dataset.verdict, (item.querySelector(".say") ?? item).textContent.trim()]));
  let known = open();
  let unfolded = [];

  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Pause updates";
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
  });
  controls.append(button);

  document.addEventListener("htmx:before:request", (event) => {
    if (paused || document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:before:swap", () => {
    unfolded = [...live.querySelectorAll("details[open]")].map((part) => part.id);
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    const now = open();
    const fresh = [...now].filter(([id]) => !known.has(id)).map(([, text]) => text);
    const gone = [...known].filter(([id]) => !now.has(id)).map(([, text]) => `No longer open: ${text}`);
    if (fresh.length || gone.length) announce.textContent = [...fresh, ...gone].join(" ");
    known = now;
  });
})();

// Tells a screen reader only what changed among the open verdicts, and lets people pause the refresh.
"use strict";
(() => {
  const live = document.getElementById("live");
  const announce = document.getElementById("announce");
  const controls = document.getElementById("controls");
  let paused = false;

  const open = () => new Map([...live.querySelectorAll("[data-verdict]")].map((item) =>
    [item.dataset.verdict, item.querySelector(".say").textContent.trim()]));
  let known = open();

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
  document.addEventListener("htmx:after:swap", () => {
    const now = open();
    const fresh = [...now].filter(([id]) => !known.has(id)).map(([, text]) => text);
    const gone = [...known].filter(([id]) => !now.has(id)).map(([, text]) => `No longer open: ${text}`);
    if (fresh.length || gone.length) announce.textContent = [...fresh, ...gone].join(" ");
    known = now;
  });
})();

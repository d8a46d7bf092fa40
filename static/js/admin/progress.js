// Keeps the progress of a run up to date, and shows the result once there is one.
(() => {
  "use strict";

  const card = document.querySelector("[data-progress]");
  if (!card) {
    return;
  }
  const bar = card.querySelector("progress");
  const text = card.querySelector("[data-progress-text]");

  const look = async () => {
    try {
      const answer = await fetch(card.dataset.progress, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const said = await answer.json();
        if (!said.at_work) {
          window.location.reload();
          return;
        }
        bar.value = said.percent;
        if (text.textContent !== said.text) {
          text.textContent = said.text;
        }
      }
    } catch {
      // The server is away for a moment; the next look will tell.
    }
    window.setTimeout(look, 1000);
  };

  window.setTimeout(look, 1000);
})();

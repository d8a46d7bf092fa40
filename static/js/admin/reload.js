// Loads the page again while a worker goes through a file, unless someone is using it.
(() => {
  "use strict";

  const waiting = document.querySelector("[data-reload-after]");
  if (waiting) {
    setTimeout(() => {
      if (document.visibilityState === "visible") {
        location.reload();
      } else {
        document.addEventListener("visibilitychange", () => location.reload(), { once: true });
      }
    }, Number(waiting.dataset.reloadAfter) * 1000);
  }
})();

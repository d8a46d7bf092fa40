// Shows of a tier's condition only what its measure and its window need; the server leaves the rest out as well.
(() => {
  "use strict";

  const show = (row) => {
    const measure = row.querySelector("select[name$='-measure']");
    const span = row.querySelector("select[name$='-window']");
    if (!measure || !span) {
      return;
    }
    const isYears = measure.value === "years";
    row.querySelector("[data-if-measure]").hidden = measure.value !== "units";
    row.querySelector("[data-unless-measure]").hidden = isYears;
    row.querySelector("[data-if-window]").hidden = isYears || span.value !== "rolling";
  };

  const showAll = () => document.querySelectorAll("#row-conditions [data-row]").forEach(show);

  document.addEventListener("change", (event) => {
    const row = event.target.closest("#row-conditions [data-row]");
    if (row) {
      show(row);
    }
  });
  document.addEventListener("lo:row", showAll);
  showAll();
})();

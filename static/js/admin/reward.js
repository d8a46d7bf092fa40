// Shows of a reward's form only what fits its kind and how it is had, by the table that the server itself goes by.
(() => {
  "use strict";

  const form = document.querySelector("form[data-reward-table]");
  if (!form) {
    return;
  }
  const table = JSON.parse(form.dataset.rewardTable);

  const chosen = () => ({
    kind: form.elements.kind.value,
    conversion: (form.querySelector("input[name='conversion']:checked") || {}).value || "",
    by_amount: form.elements.by_amount.checked ? "on" : "",
  });

  const fits = (name, now) => {
    const ways = table.fields[name];
    return !ways || ways.some((way) => Object.entries(way).every(([field, values]) => values.includes(now[field])));
  };

  const showParts = () => {
    const now = chosen();
    if (!fits("by_amount", now)) {
      now.by_amount = "";
    }
    for (const part of form.querySelectorAll("[data-fits]")) {
      part.hidden = !fits(part.dataset.fits, now);
    }
    const allowed = table.conditions[now.conversion];
    for (const select of form.querySelectorAll("select[name^='clauses-'][name$='-kind']")) {
      for (const option of select.options) {
        const isOffered = !allowed || option.value === "" || allowed.includes(option.value);
        option.hidden = !isOffered;
        option.disabled = !isOffered && !option.selected;
      }
    }
  };

  const showPickers = (kind) => {
    const row = kind.closest("[data-row]");
    const typed = row.querySelector("[data-typed]");
    let picked = false;
    for (const picker of row.querySelectorAll("[data-kinds]")) {
      picker.hidden = !picker.dataset.kinds.split(" ").includes(kind.value);
      picked = picked || !picker.hidden;
    }
    typed.hidden = picked;
    if (picked) {
      typed.querySelector("input").value = "";
    }
  };

  form.addEventListener("change", (event) => {
    if (["kind", "conversion", "by_amount"].includes(event.target.name)) {
      showParts();
    } else if (event.target.matches("select[data-examples]")) {
      showPickers(event.target);
    }
  });
  document.addEventListener("lo:row", showParts);
  showParts();
})();

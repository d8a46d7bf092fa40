// Shows of a rule's form only what fits the chosen trigger and effect, by the table that the server itself goes by.
(() => {
  "use strict";

  const form = document.querySelector("form[data-table]");
  if (!form) {
    return;
  }
  const table = JSON.parse(form.dataset.table);

  const chosen = () => ({
    trigger: (form.querySelector("input[name='trigger']:checked") || {}).value || "",
    effect: form.elements.effect.value,
  });

  const narrow = (select, allowed) => {
    for (const option of select.options) {
      const fits = !allowed || option.value === "" || allowed.includes(option.value);
      option.hidden = !fits;
      option.disabled = !fits && !option.selected;
    }
  };

  const choose = (name, trigger) => {
    const allowed = (table.choices[name] || {})[trigger];
    for (const select of form.querySelectorAll(`select[name='${name}'], select[name$='-${name}']`)) {
      narrow(select, allowed);
      if (name === "effect" && allowed && !allowed.includes(select.value)) {
        select.value = allowed[0];
      }
    }
  };

  const showParts = () => {
    const { trigger } = chosen();
    Object.keys(table.choices).forEach((name) => choose(name, trigger));
    const now = chosen();
    for (const part of form.querySelectorAll("[data-fits]")) {
      const needs = table.fields[part.dataset.fits] || {};
      part.hidden = !Object.entries(needs).every(([name, values]) => values.includes(now[name]));
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
    if (typed) {
      typed.hidden = picked;
      if (picked) {
        typed.querySelector("input").value = "";
      }
    }
  };

  form.addEventListener("change", (event) => {
    if (["trigger", "effect"].includes(event.target.name)) {
      showParts();
    } else if (event.target.matches("select[data-examples]")) {
      showPickers(event.target);
    }
  });
  document.addEventListener("lo:row", showParts);
  showParts();
})();

// Shows, in the empty field beside a choice, an example of what may be written for what is chosen.
(() => {
  "use strict";

  const show = (choice) => {
    const row = choice.closest("tr, [data-row]");
    const field = row && row.querySelector("[data-example]");
    if (field) {
      field.placeholder = JSON.parse(choice.dataset.examples)[choice.value] || "";
    }
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-examples]")) {
      show(event.target);
    }
  });
})();

// Shows what a form would do while it is filled in: sends it to be looked at, and puts in what comes back.
(() => {
  "use strict";

  const PAUSE = 350;
  let waiting = 0;
  let asked = null;

  const mark = (isBusy) => {
    for (const part of document.querySelectorAll("[data-look]")) {
      part.toggleAttribute("data-busy", isBusy);
    }
  };

  const put = (html) => {
    const found = new DOMParser().parseFromString(html, "text/html");
    for (const part of found.querySelectorAll("[data-look]")) {
      const present = document.getElementById(part.id);
      if (present) {
        present.replaceWith(part);
      }
    }
  };

  const look = async (form) => {
    if (asked) {
      asked.abort();
    }
    asked = new AbortController();
    const mine = asked;
    const body = new FormData(form);
    body.set("_look", "1");
    mark(true);
    try {
      const answer = await fetch(window.location.href, {
        method: "POST",
        body,
        headers: { "X-Look": "1" },
        signal: mine.signal,
      });
      if (answer.ok) {
        put(await answer.text());
      }
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) {
        throw error;
      }
    }
    if (mine === asked) {
      mark(false);
    }
  };

  const soon = (event) => {
    const form = event.target.form;
    if (!form || !form.matches("[data-looks]")) {
      return;
    }
    window.clearTimeout(waiting);
    if (document.querySelector("[data-look-slow]")) {
      return;
    }
    waiting = window.setTimeout(() => look(form), PAUSE);
  };

  const addRow = (button) => {
    const list = button.closest(".lo-rows, .lo-try-lines");
    const total = list.querySelector(`input[name='${button.dataset.more}-TOTAL_FORMS']`);
    const blank = list.querySelector("template[data-blank]");
    const holder = document.createElement("div");
    holder.innerHTML = blank.innerHTML.replaceAll("__prefix__", total.value);
    const row = holder.firstElementChild;
    list.querySelector("[data-rows]").append(row);
    total.value = Number(total.value) + 1;
    const first = row.querySelector("select, input");
    if (first) {
      first.focus();
    }
    document.dispatchEvent(new CustomEvent("lo:row", { detail: row }));
  };

  document.addEventListener("input", soon);
  document.addEventListener("change", soon);
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || button.name !== "_look" || !event.target.matches("[data-looks]")) {
      return;
    }
    event.preventDefault();
    window.clearTimeout(waiting);
    if (button.dataset.more) {
      addRow(button);
    } else {
      look(event.target);
    }
  });
})();

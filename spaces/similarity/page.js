// What the page does in the browser: links to answers, the answer in view, and what gradio's controls lack.
(() => {
  const LONGEST = 6000; // characters of an address; more is cut off on its way by some
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  // ---- links ----

  const put = (wanted) => {
    const url = new URL(location.href);
    for (const name of [...url.searchParams.keys()])
      if (name !== "lang" && !name.startsWith("__")) url.searchParams.delete(name);
    for (const [name, value] of Object.entries(wanted))
      if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
    const fits = url.href.length <= LONGEST;
    document.documentElement.classList.toggle("no-link", !fits);
    if (fits) history.replaceState(history.state, "", url);
  };

  const address = () => {
    const url = new URL(location.href);
    for (const name of [...url.searchParams.keys()]) if (name.startsWith("__")) url.searchParams.delete(name);
    const space = window.gradio_config?.space_id;
    return space ? `https://huggingface.co/spaces/${space}${url.search}` : url.href;
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const box = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
      box.select();
      document.execCommand("copy");
      box.remove();
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".zoo .copy");
    if (button) {
      await copy(address());
      button.classList.add("copied");
      say(button.innerText);
      setTimeout(() => button.classList.remove("copied"), 3000);
    }
    const link = event.target.closest?.(".zoo .switch");
    if (link) {
      const url = new URL(location.href);
      url.searchParams.set("lang", link.lang);
      link.href = url.href;
    }
  });

  // ---- answers ----

  const show = (tab) => {
    const answer = document.getElementById(`${tab}-result`);
    if (!answer) return;
    const { top, bottom } = answer.getBoundingClientRect();
    const seen = top >= 0 && (bottom <= innerHeight || top < innerHeight / 3);
    if (!seen) answer.scrollIntoView({ behavior: still.matches ? "auto" : "smooth", block: "start" });
    const score = answer.querySelector(".score");
    if (score) say(score.innerText);
  };

  const say = (text) => {
    let line = document.getElementById("zoo-said");
    if (!line) {
      line = Object.assign(document.createElement("div"), { id: "zoo-said" });
      line.setAttribute("role", "status");
      document.body.append(line);
    }
    line.textContent = text;
  };

  window.zoo = {
    answered: (tab, values) => {
      put(tab === "compare" ? values : { tab, ...values });
      setTimeout(() => show(tab), 60); // after gradio has drawn it
    },
    opened: (tab) => {
      const now = new URLSearchParams(location.search).get("tab") ?? "compare";
      if (now !== tab) put(tab === "compare" ? {} : { tab });
    },
  };

  // ---- controls: one name for the radios of a group, so that arrow keys work ----

  const mend = () => {
    for (const group of document.querySelectorAll("fieldset"))
      for (const radio of group.querySelectorAll("input[type=radio]"))
        radio.name = group.id || group.closest("[id]")?.id || "radio";
  };
  document.addEventListener("DOMContentLoaded", () => {
    mend();
    new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
  });
})();

// Put into every page by the gate: a page whose session is over shows nothing any more, whoever ended it.
(() => {
  const leave = () => {
    const lang = new URLSearchParams(location.search).get("lang") === "en" ? "&lang=en" : "";
    document.documentElement.textContent = "";
    location.replace("/login?why=over" + lang + "&next=" + encodeURIComponent(location.pathname + location.search));
  };
  const check = async () => {
    try {
      const answer = await fetch("/session", { cache: "no-store" });
      if (answer.status === 401) leave();
    } catch (unreachable) {
      // The server is not there: Streamlit says so itself, and tries again.
    }
  };
  // The gate closes the socket when the session ends: look at once, not at the next quarter of a minute.
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("close", () => setTimeout(check, 50));
    }
  };
  setInterval(check, 15000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) check(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) check(); });
})();

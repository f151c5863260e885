/**
 * The page: one document that loads nothing.
 *
 * @since 0.1.0
 */
import { script } from "./script.ts"
import { style } from "./style.ts"

/**
 * The document; its style and its script have the nonce that its policy allows.
 *
 * @stability experimental
 * @category serving
 * @since 0.1.0
 */
export const page = (nonce: string): string =>
  `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Inspector · effect-llm</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${style}</style>
</head>
<body>
<header>
  <h1>Inspector</h1>
  <p id="link" role="status"><span class="dot" aria-hidden="true"></span><span id="linked">Connecting</span></p>
  <dl id="totals"></dl>
  <div class="tools">
    <input id="filter" type="search" placeholder="Filter  /" aria-label="Filter calls by text" autocomplete="off" spellcheck="false">
    <select id="status" aria-label="Which calls">
      <option value="">All calls</option>
      <option value="running">Running</option>
      <option value="failed">Failed</option>
      <option value="moved">Failed over or retried</option>
    </select>
    <button id="pause" type="button" aria-pressed="false" title="Pause (p)">Pause</button>
    <button id="theme" type="button" title="Light, dark, or as the system has it">Theme: system</button>
  </div>
</header>
<form id="door" hidden>
  <label for="key">Key</label>
  <input id="key" type="password" autocomplete="off" required>
  <button>Look</button>
  <p id="why"></p>
</form>
<section id="health" aria-label="Circuits and candidates" hidden></section>
<main>
  <section id="calls" aria-label="Calls">
    <div class="row head" aria-hidden="true">
      <span>Time</span><span>State</span><span>Call</span><span>Attempts</span>
      <span class="n">Took</span><span class="n">1st token</span><span class="n">Tok/s</span><span class="n">Tokens</span><span class="n">Cost</span>
    </div>
    <ol id="list"></ol>
    <p id="empty">No calls yet. They appear here as they are made.</p>
  </section>
  <aside id="detail" aria-label="Opened call" tabindex="-1" hidden></aside>
</main>
<footer>
  <p class="legend" aria-label="Colours of the time line">
    <span><i class="seg wait"></i>waits</span><span><i class="seg connect"></i>until the answer begins</span>
    <span><i class="seg think"></i>until the first token</span><span><i class="seg stream"></i>answer</span>
    <span><i class="seg bad"></i>failed</span>
  </p>
  <p><kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>Enter</kbd> open · <kbd>→</kbd> into it · <kbd>Esc</kbd> close · <kbd>/</kbd> filter · <kbd>p</kbd> pause</p>
</footer>
<script nonce="${nonce}">${script}</script>
</body>
</html>
`

/**
 * What the page does, in the JavaScript of browsers. Whatever comes from calls becomes text of the document and nothing else.
 *
 * @since 0.1.0
 */

/**
 * The script.
 *
 * @stability experimental
 * @category serving
 * @since 0.1.0
 */
export const script = String.raw`"use strict"
const $ = (id) => document.getElementById(id)
const el = (tag, className, ...children) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""))
  return made
}
const list = $("list"), detail = $("detail"), main = document.querySelector("main")
const base = location.pathname.replace(/\/+$/, "")
const calls = new Map()
const rows = new Map()
let key = decodeURIComponentSafe(location.hash.slice(1)), most = 500, skew = 0, health = [], opened, contents, contentsAt, paused = false, wait = 500, connection
function decodeURIComponentSafe(text) { try { return decodeURIComponent(text) } catch { return text } }
if (location.hash) history.replaceState(null, "", location.pathname + location.search)

// Numbers
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" })
const whole = new Intl.NumberFormat("en")
const took = (ms) => ms === undefined ? "" : ms < 1 ? "<1 ms" : ms < 1000 ? Math.round(ms) + " ms" : ms < 60000 ? (ms / 1000).toFixed(2) + " s" : Math.floor(ms / 60000) + " min " + Math.round(ms % 60000 / 1000) + " s"
const dollars = (cost) => cost === undefined ? "" : cost === 0 ? "$0" : cost < 0.0001 ? "<$0.0001" : "$" + cost.toFixed(cost < 1 ? 4 : 2)
const now = () => Date.now() + skew
const lasted = (call) => call.end ?? Math.max(0, now() - call.startedAt)
const name = ({ provider, model }) => model ? provider + "/" + model : provider
const speed = (call) => {
  if (call.firstContent === undefined) return ""
  const seconds = (lasted(call) - call.firstContent) / 1000
  if (seconds <= 0.02) return ""
  const tokens = call.usage && call.usage.output
  if (tokens > 1) return String(Math.round((tokens - 1) / seconds))
  // While it runs nobody counts tokens: about four characters each.
  return call.status === "running" && call.characters > 0 ? "≈" + Math.round(call.characters / 4 / seconds) : ""
}
const states = { running: ["●", "running"], finished: ["✓", "finished"], failed: ["✕", "failed"], interrupted: ["◌", "stopped"] }
const stateOf = (call) => call.cached ? "cached" : states[call.status][1]
const by = (call) => call.servedBy ?? call.attempts.at(-1) ?? call
const moved = (call) => call.attempts.length > 1 || call.events.some(({ tag }) => tag === "FailOver" || tag === "Retry" || tag === "Hedged")

// Time lines
const segment = (className, from, to, scale, title) => {
  const made = el("i", "seg " + className)
  made.style.left = Math.min(99, Math.max(0, from / scale * 100)) + "%"
  made.style.width = Math.max(0, (to - from) / scale * 100) + "%"
  if (title) made.title = title
  return made
}
const spansOf = (attempt, call) => {
  const end = attempt.end ?? lasted(call), spans = []
  const add = (kind, words, from, to) => { if (to > from || kind !== "wait") spans.push({ kind, words, from, to: Math.max(from, to) }) }
  if (attempt.waited > 0) add("wait", "waited", Math.max(0, attempt.at - attempt.waited), attempt.at)
  const began = attempt.firstChunk, first = attempt.firstContent
  const failed = attempt.status === "failed" ? "bad" : attempt.status === "interrupted" ? "gone" : undefined
  if (began === undefined && first === undefined) {
    const kind = failed ?? (call.operation === "generate" ? "stream" : "connect")
    add(kind, failed ? "failed" : kind === "stream" ? "answer" : "until the answer begins", attempt.at, end)
    return spans
  }
  if (began !== undefined) add("connect", "until the answer begins", attempt.at, began)
  if (first === undefined) add(failed ?? "think", failed ? "failed" : "until the first token", began, end)
  else {
    if (began === undefined || first > began) add("think", "until the first token", began ?? attempt.at, first)
    add("stream", "answer", first, end)
    if (failed) spans.push({ kind: failed, words: "failed", from: Math.max(first, end - lasted(call) * 0.02), to: end, mark: true })
  }
  return spans
}
const lane = (attempt, call, scale) => el("span", "lane", ...spansOf(attempt, call).map(({ kind, words, from, to }) =>
  segment(kind, from, to, scale, words + " " + took(to - from))))

// Rows
const says = (attempt) => attempt.status === "failed" ? (attempt.reason ?? "failed") + (attempt.httpStatus ? " " + attempt.httpStatus : "") : states[attempt.status][1]
const fill = (row, call) => {
  const scale = Math.max(1, lasted(call)), served = by(call), usage = call.usage ?? {}
  const state = el("span", "state " + call.status, stateOf(call))
  state.dataset.mark = states[call.status][0]
  const reason = call.error ? call.error.reason + (call.error.status ? " " + call.error.status : "")
    : moved(call) ? call.attempts.map((attempt) => attempt.status === "failed" ? attempt.reason : attempt.provider).join(" → ") : call.label ?? call.operation
  const lanes = el("span", "lanes", ...call.attempts.slice(-4).map((attempt) => lane(attempt, call, scale)))
  lanes.setAttribute("aria-hidden", "true")
  row.replaceChildren(
    el("span", "time", clock.format(call.startedAt)), state,
    el("span", "who", el("span", "", name(served)), el("span", "sub", reason)),
    lanes, el("span", "n", took(lasted(call))), el("span", "n", took(call.firstContent)), el("span", "n", speed(call)),
    el("span", "n", usage.input === undefined && usage.output === undefined ? "" : whole.format(usage.input ?? 0) + " → " + whole.format(usage.output ?? 0)),
    el("span", "n", dollars(call.cost))
  )
}
const textOf = (call) => [call.provider, call.model, call.label, call.requestId, call.user, call.status, call.error && call.error.reason, call.error && call.error.message,
  ...call.attempts.flatMap((attempt) => [attempt.provider, attempt.model, attempt.label, attempt.reason, attempt.requestId])].filter(Boolean).join(" ").toLowerCase()
const isShown = (call) => {
  const wanted = $("status").value, text = $("filter").value.trim().toLowerCase()
  if (wanted === "moved" ? !moved(call) : wanted && call.status !== wanted) return false
  return !text || textOf(call).includes(text)
}
const show = (call) => {
  let item = rows.get(call.id)
  if (!item) {
    const row = el("button", "row")
    row.type = "button"
    row.dataset.id = call.id
    row.setAttribute("aria-expanded", "false")
    row.setAttribute("aria-controls", "detail")
    row.onclick = () => opened === call.id ? close() : open(call.id)
    item = el("li", "", row)
    rows.set(call.id, item)
    // Newest first; what comes late finds its place.
    const after = [...list.children].find((other) => Number(other.firstChild.dataset.id) < call.id)
    list.insertBefore(item, after ?? null)
  }
  item.hidden = !isShown(call)
  fill(item.firstChild, call)
}
const drop = (id) => { calls.delete(id); rows.get(id)?.remove(); rows.delete(id) }
const trim = () => { while (calls.size > most) drop(Math.min(...calls.keys())) }
const summary = () => {
  const all = [...calls.values()], ended = all.filter((call) => call.status === "finished" || call.status === "failed")
  const failed = all.filter((call) => call.status === "failed").length
  const times = ended.map((call) => call.end).sort((a, b) => a - b)
  const cost = all.reduce((sum, call) => sum + (call.cost ?? 0), 0)
  const told = [["calls", whole.format(all.length)], ["running", whole.format(all.filter((call) => call.status === "running").length)],
    ["failed", failed ? failed + " (" + Math.round(failed / Math.max(1, ended.length) * 100) + " %)" : "0"],
    ["rescued", whole.format(all.filter((call) => call.status === "finished" && moved(call)).length)],
    ["median", times.length ? took(times[Math.floor(times.length / 2)]) : "–"], ["cost", all.some((call) => call.cost !== undefined) ? dollars(cost) : "–"]]
  $("totals").replaceChildren(...told.map(([what, value]) => el("div", "", el("dt", "", what), el("dd", "", value))))
  const none = ![...list.children].some((item) => !item.hidden)
  $("empty").hidden = !none
  $("empty").textContent = calls.size ? "No call is like that." : "No calls yet. They appear here as they are made."
}
const chips = () => {
  const made = health.map((one) => {
    const over = one.until !== undefined && one.until <= now()
    if (over && one.state === "benched") return undefined
    const state = over ? "trying" : one.state
    const words = { open: "open", closed: "closed", benched: "left out", trying: "half open" }[state]
    const left = !over && one.until !== undefined ? " for " + took(Math.ceil((one.until - now()) / 1000) * 1000).replace(".00", "") : ""
    return el("span", "chip " + state, one.name, el("b", "", words + left), one.reason ? "after " + one.reason : "")
  }).filter(Boolean)
  $("health").hidden = made.length === 0
  $("health").replaceChildren(...made)
}

// One call
const fact = (what, value) => value === "" || value === undefined ? undefined : el("div", "", el("dt", "", what), el("dd", "", value))
const partOf = (part) => [
  el("div", "sub", [part.kind, part.name, part.characters === undefined ? "" : whole.format(part.characters) + " characters"].filter(Boolean).join(" · ")),
  part.text ? el("pre", "", part.text) : undefined
]
const paint = () => {
  const call = calls.get(opened)
  if (!call) return
  const scale = Math.max(1, lasted(call)), usage = call.usage ?? {}, scroll = detail.scrollTop
  const shut = el("button", "", "Close")
  shut.type = "button"
  shut.onclick = close
  const hadFocus = detail.contains(document.activeElement) && document.activeElement !== detail
  const state = el("span", "state " + call.status, stateOf(call))
  state.dataset.mark = states[call.status][0]
  const attempts = call.attempts.map((attempt, at) => el("div", "attempt",
    el("div", "line", el("span", "", (at + 1) + ". " + name(attempt) + (attempt.label ? " (" + attempt.label + ")" : "")), el("span", attempt.status, says(attempt))),
    lane(attempt, call, scale),
    el("div", "spans", [...spansOf(attempt, call).filter(({ mark }) => !mark).map(({ words, from, to }) => words + " " + took(to - from)), attempt.requestId].filter(Boolean).join(" · "))))
  const said = contents && contents.id === opened ? contents : undefined
  const allowed = said && [...said.asked, { parts: said.answered ?? [] }].some(({ parts }) => parts.some(({ text }) => text !== undefined))
  const message = (role, parts) => el("div", "message", el("h4", "", role), ...parts.flatMap(partOf))
  const children = [
    el("div", "top", el("h2", "", name(by(call))), shut),
    el("p", "sub", state, " · " + clock.format(call.startedAt) + " · " + call.operation + (call.label ? " · " + call.label : "") + (call.user ? " · " + call.user : "")),
    call.requestId ? el("p", "sub", call.requestId) : undefined,
    call.error ? el("p", "problem", el("b", "", call.error.reason + (call.error.status ? " " + call.error.status : "")), " " + call.error.message) : undefined,
    el("dl", "facts", ...[fact("took", took(lasted(call))), fact("first token", took(call.firstContent)), fact("tokens/s", speed(call)),
      fact("tokens in", usage.input === undefined ? "" : whole.format(usage.input) + (usage.cached ? " (" + whole.format(usage.cached) + " cached)" : "")),
      fact("tokens out", usage.output === undefined ? "" : whole.format(usage.output)), fact("cost", dollars(call.cost)),
      fact("characters", call.characters ? whole.format(call.characters) : ""), fact("ended by", call.finishReason)].filter(Boolean)),
    el("h3", "", "Attempts"),
    ...(attempts.length ? attempts : [el("p", "hint", call.cached ? "None: the answer came from the cache." : "Nothing was sent.")]),
    attempts.length ? el("div", "axis", el("span", "", "0"), el("span", "", took(lasted(call) / 2)), el("span", "", took(lasted(call)))) : undefined,
    ...(call.events.length ? [el("h3", "", "What happened"), el("ol", "events", ...call.events.map((event) => el("li", "", el("time", "", took(event.at)), el("span", "", event.text))))] : []),
    el("h3", "", "Prompt and answer"),
    ...(said ? [allowed ? undefined : el("p", "hint", "Words are not kept: only their lengths are shown."), ...said.asked.map(({ role, parts }) => message(role, parts)),
      said.answered && said.answered.length ? message("answer", said.answered) : undefined] : [el("p", "hint", "Loading …")])
  ]
  detail.replaceChildren(...children.filter((child) => child !== undefined))
  detail.scrollTop = scroll
  if (hadFocus) shut.focus({ preventScroll: true })
}
const load = async () => {
  const id = opened
  contentsAt = calls.get(id)?.status
  try {
    const answer = await fetch(base + "/calls/" + id, { headers: credentials(), cache: "no-store" })
    if (!answer.ok || opened !== id) return
    const { call, contents: said } = await answer.json()
    contents = { ...said, id }
    if (!calls.has(id)) calls.set(id, call)
    paint()
  } catch { /* The connection tells. */ }
}
const mark = () => { for (const [id, item] of rows) item.firstChild.setAttribute("aria-expanded", String(id === opened)) }
const open = (id) => {
  opened = id
  contents = undefined
  detail.hidden = false
  main.classList.add("opened")
  detail.scrollTop = 0
  mark()
  paint()
  load()
}
const close = () => {
  const row = rows.get(opened)?.firstChild
  opened = contents = undefined
  detail.hidden = true
  main.classList.remove("opened")
  mark()
  row?.focus()
}

// What comes
const apply = (message) => {
  skew = message.now - Date.now()
  if (message.reset) {
    most = message.most
    for (const id of [...calls.keys()]) drop(id)
  }
  if (message.health) health = message.health
  for (const call of message.calls) {
    calls.set(call.id, call)
    show(call)
    if (call.id === opened) {
      paint()
      if (contentsAt === "running" && call.status !== "running") load()
    }
  }
  trim()
  if (message.reset) mark()
  if (opened !== undefined && !calls.has(opened) && !message.reset) close()
  summary()
  chips()
}
const credentials = () => key ? { authorization: "Bearer " + key } : {}
const told = (state, words) => { $("link").className = state; $("linked").textContent = words }
const ask = (why) => {
  $("door").hidden = false
  main.hidden = true
  $("why").textContent = why
  $("key").focus()
}
const connect = async () => {
  const own = connection = new AbortController()
  try {
    const answer = await fetch(base + "/events", { headers: credentials(), cache: "no-store", signal: own.signal })
    if (answer.status === 401) {
      told("lost", "Locked")
      return ask(key ? "That key may not look." : "Calls are shown to whoever has the key.")
    }
    if (!answer.ok) throw new Error(String(answer.status))
    $("door").hidden = true
    main.hidden = false
    told("live", "Live")
    wait = 500
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let held = ""
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const blocks = (held + value).split("\n\n")
      held = blocks.pop()
      for (const block of blocks) if (block.startsWith("data: ")) apply(await new Response(block.slice(6)).json())
    }
  } catch { /* Tried again. */ }
  if (own.signal.aborted) return
  told("lost", "Not connected, trying again")
  setTimeout(() => { if (!paused && connection === own) connect() }, wait)
  wait = Math.min(10000, wait * 2)
}
const pause = () => {
  paused = !paused
  $("pause").setAttribute("aria-pressed", String(paused))
  $("pause").textContent = paused ? "Go on" : "Pause"
  if (!paused) return void connect()
  connection.abort()
  told("", "Paused")
}

// Keys and knobs
$("pause").onclick = pause
const refilter = () => { for (const [id, item] of rows) item.hidden = !isShown(calls.get(id)); summary() }
$("filter").oninput = refilter
$("status").onchange = refilter
$("door").onsubmit = (submitted) => { submitted.preventDefault(); key = $("key").value; $("key").value = ""; connect() }
const themes = ["system", "light", "dark"]
let theme = 0
try { theme = Math.max(0, themes.indexOf(localStorage.getItem("effect-llm-theme"))) } catch { /* Not kept. */ }
const dress = () => { document.documentElement.className = theme ? themes[theme] : ""; $("theme").textContent = "Theme: " + themes[theme] }
$("theme").onclick = () => { theme = (theme + 1) % 3; dress(); try { localStorage.setItem("effect-llm-theme", themes[theme]) } catch { /* Not kept. */ } }
dress()
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const typing = event.target.matches("input, select")
  if (event.key === "Escape") {
    if (typing) event.target.blur()
    else if (opened !== undefined) close()
    return
  }
  if (typing) return
  if (event.key === "/") { event.preventDefault(); $("filter").focus() }
  else if (event.key === "ArrowRight" && opened !== undefined) { event.preventDefault(); detail.querySelector("button").focus() }
  else if (event.key === "ArrowLeft" && opened !== undefined) { event.preventDefault(); rows.get(opened)?.firstChild.focus() }
  else if (event.key === "p" && $("door").hidden) pause()
  else if (["ArrowDown", "ArrowUp", "j", "k", "Home", "End"].includes(event.key) && !detail.contains(event.target)) {
    const shown = [...list.children].filter((item) => !item.hidden).map((item) => item.firstChild)
    if (!shown.length) return
    event.preventDefault()
    const at = shown.indexOf(document.activeElement)
    const next = event.key === "Home" ? 0 : event.key === "End" ? shown.length - 1 : at === -1 ? 0
      : Math.min(shown.length - 1, Math.max(0, at + (event.key === "ArrowDown" || event.key === "j" ? 1 : -1)))
    shown[next].focus()
    if (opened !== undefined) open(Number(shown[next].dataset.id))
  }
})
// What runs grows, and what is left out comes back.
setInterval(() => {
  if (paused || document.hidden) return
  for (const call of calls.values()) if (call.status === "running") { show(call); if (call.id === opened) paint() }
  chips()
}, 250)
summary()
connect()
`

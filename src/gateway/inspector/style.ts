/**
 * How the page looks, dark and light.
 *
 * @since 0.1.0
 */

/**
 * The style sheet.
 *
 * @stability experimental
 * @category serving
 * @since 0.1.0
 */
export const style = `
:root {
  color-scheme: light dark;
  --back: light-dark(#f6f7f9, #14171c); --card: light-dark(#ffffff, #1b1f26); --over: light-dark(#eef1f6, #242a33);
  --line: light-dark(#dde2ea, #2f3641); --text: light-dark(#1b2129, #e4e8ee); --dim: light-dark(#5b6675, #98a3b3);
  --accent: light-dark(#1f5fc4, #7fb0ff); --good: light-dark(#14713f, #5cc98d); --bad: light-dark(#b3261e, #ff8a80);
  --warn: light-dark(#8a5a00, #f0b95a); --wait: light-dark(#b9c2cf, #4d5867); --connect: light-dark(#8fb6ee, #3f6fb5);
  --think: light-dark(#b79be8, #8463c4); --stream: light-dark(#3f9f6c, #45a876); --fail: light-dark(#d9534a, #d9635a);
}
:root.light { color-scheme: light } :root.dark { color-scheme: dark }
* { box-sizing: border-box }
[hidden] { display: none !important }
html, body { height: 100% }
body {
  margin: 0; display: flex; flex-direction: column; background: var(--back); color: var(--text);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 17px; margin: 0; font-weight: 650 } h2 { font-size: 15px; margin: 0 } h3 { font-size: 12px; margin: 20px 0 8px; color: var(--dim); font-weight: 600 }
p, ol, dl, dd { margin: 0; padding: 0 }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; padding: 12px 20px; background: var(--card); border-bottom: 1px solid var(--line) }
#link { display: flex; align-items: center; gap: 7px; color: var(--dim); font-size: 13px }
.dot { width: 8px; height: 8px; border-radius: 50%; background: var(--warn) }
#link.live .dot { background: var(--good) } #link.lost .dot { background: var(--bad) }
#totals { display: flex; flex-wrap: wrap; gap: 4px 18px; flex: 1 }
#totals div { display: flex; gap: 6px; align-items: baseline }
#totals dt { color: var(--dim); font-size: 12px } #totals dd { font-variant-numeric: tabular-nums; font-weight: 600 }
.tools { display: flex; flex-wrap: wrap; gap: 8px }
input, select, button { font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 6px; padding: 4px 10px; min-height: 32px }
button, select { cursor: pointer } button:hover, select:hover { background: var(--over) }
#filter { width: 150px }
#pause[aria-pressed=true] { border-color: var(--warn); color: var(--warn) }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px }
#door { margin: 40px auto; padding: 20px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; display: flex; flex-wrap: wrap; gap: 10px; align-items: center }
#door p { width: 100%; color: var(--dim) }
#health { display: flex; flex-wrap: wrap; gap: 8px; padding: 10px 20px 0 }
.chip { display: inline-flex; gap: 6px; align-items: baseline; padding: 2px 10px; border-radius: 20px; border: 1px solid var(--line); background: var(--card); font-size: 12.5px; max-width: 100%; overflow-wrap: anywhere }
.chip b { font-weight: 600 } .chip.open b { color: var(--bad) } .chip.benched b, .chip.trying b { color: var(--warn) } .chip.closed b { color: var(--good) }
main { flex: 1; min-height: 0; display: flex; gap: 14px; padding: 12px 20px }
#calls { flex: 1; min-width: 0; overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px }
#list { list-style: none }
.row {
  display: grid; width: 100%; align-items: center; gap: 0 14px; padding: 7px 14px; text-align: left;
  grid-template-columns: 62px 92px minmax(150px, 1.3fr) minmax(110px, 1fr) 62px 66px 52px 92px 66px;
}
button.row { border: 0; border-top: 1px solid var(--line); border-radius: 0; background: none; min-height: 46px }
button.row:hover { background: var(--over) } button.row[aria-expanded=true] { background: var(--over); box-shadow: inset 3px 0 var(--accent) }
button.row:focus-visible { outline-offset: -2px }
.row.head { position: sticky; top: 0; z-index: 1; background: var(--card); color: var(--dim); font-size: 12px; border-bottom: 1px solid var(--line) }
li:first-child button.row { border-top: 0 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.time { color: var(--dim); font-variant-numeric: tabular-nums; font-size: 13px }
.who { min-width: 0 } .who span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.who .sub { color: var(--dim); font-size: 12px }
.state { font-size: 13px; white-space: nowrap } .state::before { content: attr(data-mark); display: inline-block; width: 1.3em }
.running { color: var(--accent) } .finished { color: var(--good) } .failed { color: var(--bad) } .interrupted { color: var(--warn) }
.lanes { display: flex; flex-direction: column; gap: 2px }
.lane { display: block; position: relative; overflow: hidden; height: 7px; border-radius: 2px; background: var(--over) }
.row:hover .lane, .row[aria-expanded=true] .lane { background: var(--line) }
.seg { position: absolute; top: 0; bottom: 0; min-width: 2px; border-radius: 2px }
.wait { background: var(--wait) } .connect { background: var(--connect) } .think { background: var(--think) } .stream { background: var(--stream) }
.bad { background: repeating-linear-gradient(135deg, var(--fail) 0 4px, transparent 4px 6px), var(--fail) }
.gone { background: var(--warn) }
#empty { padding: 44px 20px; text-align: center; color: var(--dim) }
#detail { width: min(520px, 46vw); overflow: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 20px }
#detail:focus { outline: none }
#detail .top { display: flex; align-items: start; gap: 10px; justify-content: space-between }
#detail h2 { overflow-wrap: anywhere }
#detail .sub { color: var(--dim); font-size: 13px; overflow-wrap: anywhere }
.problem { margin-top: 12px; padding: 9px 12px; border-radius: 8px; border: 1px solid var(--bad); overflow-wrap: anywhere }
.problem b { color: var(--bad) }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 10px; margin-top: 14px }
.facts dt { color: var(--dim); font-size: 12px } .facts dd { font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.attempt { margin-bottom: 10px } .attempt .lane { height: 12px; background: var(--over) }
.attempt .line { display: flex; justify-content: space-between; gap: 12px; font-size: 13px; margin-bottom: 3px } .attempt .line span:first-child { overflow-wrap: anywhere }
.attempt .line span:last-child { white-space: nowrap }
.attempt .spans { color: var(--dim); font-size: 12px; font-variant-numeric: tabular-nums; margin-top: 3px; overflow-wrap: anywhere }
.axis { display: flex; justify-content: space-between; color: var(--dim); font-size: 11px; font-variant-numeric: tabular-nums }
.events { list-style: none; font-size: 13px } .events li { display: grid; grid-template-columns: 64px 1fr; gap: 10px; padding: 3px 0; overflow-wrap: anywhere }
.events time { color: var(--dim); font-variant-numeric: tabular-nums; text-align: right }
.message { border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; margin-bottom: 8px; font-size: 13px }
.message h4 { margin: 0 0 3px; font-size: 12px; color: var(--dim); font-weight: 600 }
.message pre { margin: 2px 0; font: 12.5px/1.45 ui-monospace, "SF Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 320px; overflow: auto }
.hint { color: var(--dim); font-size: 12.5px; margin-bottom: 8px }
footer { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 20px; padding: 0 20px 10px; color: var(--dim); font-size: 12px }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px } .legend span { display: inline-flex; align-items: center; gap: 5px } .legend .seg { position: static; width: 14px; height: 8px }
kbd { font: inherit; border: 1px solid var(--line); border-radius: 4px; padding: 0 4px; background: var(--card) }
@media (max-width: 1080px) {
  .row { grid-template-columns: 62px 92px minmax(130px, 1.3fr) minmax(80px, 1fr) 62px 66px }
  .row > :nth-child(n + 7) { display: none }
}
main.opened .row { grid-template-columns: 62px 92px minmax(120px, 1.3fr) minmax(70px, 1fr) 62px }
main.opened .row > :nth-child(n + 6) { display: none }
@media (max-width: 820px) {
  main { padding: 10px } main.opened #calls { display: none } #detail { width: 100% }
  .row, main.opened .row { grid-template-columns: 92px minmax(110px, 1fr) 62px } .row > :first-child, .row > :nth-child(4), .row > :nth-child(n + 6) { display: none }
}
@media (prefers-reduced-motion: no-preference) {
  .running.state::before { animation: pulse 1.4s ease-in-out infinite } @keyframes pulse { 50% { opacity: .25 } }
}
`

/** The page's style sheet: light and dark as the reader's system has it, and for paper. */
export const style = `
:root { color-scheme: light dark; --back: #fff; --text: #1c2024; --faint: #60646c; --line: #e0e3e7; --raised: #f6f7f9;
  --done: #3b82d6; --critical: #b4540a; --cached: #7d8794; --failed: #c62a2f; --good: #18794e; --link: #0b5cad; --near: #fdf3d7; }
@media (prefers-color-scheme: dark) { :root { --back: #16181b; --text: #e6e8eb; --faint: #9ba1a9; --line: #30343a; --raised: #1f2226;
  --done: #4f9cf0; --critical: #f5a33b; --cached: #7d8794; --failed: #ff6369; --good: #4cc38a; --link: #7cb8ff; --near: #3a321c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem clamp(1rem, 3vw, 2.5rem) 4rem; max-width: 100rem; background: var(--back); color: var(--text); overflow-wrap: anywhere;
  font: .875rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: .4rem 0 1rem; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .5rem; }
h3 { font-size: 1rem; margin: .5rem 0 .1rem; }
p { margin: .3rem 0; } ul { margin: 0; padding: 0; list-style: none; } a { color: var(--link); } a .name { color: var(--text); } a:has(.name):not(:hover) { text-decoration: none; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px; border-radius: 2px; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--back); padding: .3rem .6rem; z-index: 3; }
.note, .keys, .legend { color: var(--faint); font-size: .86rem; }
.name, pre, kbd, .digest { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .86rem; unicode-bidi: isolate; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.outcome { display: inline-block; margin: 0; padding: 0 .6rem; border-radius: 1rem; font-weight: 600; border: 1.5px solid; }
.outcome.succeeded { color: var(--good); } .outcome.failed, .outcome.canceled { color: var(--failed); }
.facts { display: flex; flex-wrap: wrap; gap: .3rem 2.2rem; margin: 0; }
.facts dt { color: var(--faint); font-size: .82rem; } .facts dd { margin: 0; font-size: 1rem; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .5rem .7rem; margin: .4rem 0; max-height: 32rem; overflow: auto; tab-size: 8;
  white-space: pre-wrap; }
pre.message { border-left: 3px solid var(--failed); } .failure h2 { color: var(--failed); }
svg { display: block; width: 100%; overflow: visible; } svg text { font-size: .7rem; fill: var(--faint); }
svg.path rect { fill: var(--critical); } svg.path .wide { stroke: var(--back); stroke-width: 2; } svg.path .rest { opacity: .4; }
svg.bar { width: 8rem; max-width: 100%; } svg.bar rect { fill: var(--done); } svg.bar.failed rect { fill: var(--failed); }
table { border-collapse: collapse; margin: .5rem 0; max-width: 100%; } .scroll { overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid var(--line); font-weight: normal; }
thead th { color: var(--faint); font-size: .82rem; white-space: nowrap; } td { font-variant-numeric: tabular-nums; } td:not(.name):not(:last-child) { white-space: nowrap; }
tbody th { max-width: 40rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 2.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; } .legend i { display: inline-block; width: 1.4rem; height: .6rem; margin-right: .4rem; border-radius: 2px; background: var(--done); forced-color-adjust: none; }
.legend .critical { background: var(--critical); } .legend .cached { background: none; border: 1.5px solid var(--cached); } .legend .failed { background: var(--failed); }
.legend .wait { height: 0; border-top: 2px dotted var(--faint); background: none; vertical-align: middle; border-radius: 0; }
.filter { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: center; margin: .6rem 0; } .filter[hidden] { display: none; }
.filter input, .filter select, .filter button { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: .15rem .5rem; }
.keys { flex-basis: 100%; } kbd { border: 1px solid var(--line); border-radius: 3px; padding: 0 .25rem; background: var(--raised); }
.axis { position: sticky; top: 0; z-index: 1; background: var(--back); border-bottom: 1px solid var(--line); }
.axis, .steps summary { padding-right: .3rem; display: grid; grid-template-columns: .8rem var(--number, 5ch) minmax(8rem, 5fr) minmax(8rem, 6fr) 8.5rem; gap: 0 .6rem; align-items: center; }
.digits-1 { --number: 1ch; } .digits-2 { --number: 2ch; } .digits-3 { --number: 3ch; } .digits-4 { --number: 4ch; }
.axis svg { grid-column: 4; }
.steps { list-style: none; margin: 0; padding: 0; } .steps > li:not([hidden]) { display: block; }
.steps li { border-bottom: 1px solid var(--line); scroll-margin-top: 2rem; }
.steps .body li { border: 0; }
.steps summary { padding-block: .2rem; cursor: pointer; list-style: none; } .steps summary::-webkit-details-marker { display: none; }
.steps summary:hover { background: var(--raised); } .steps summary::before { content: "▸"; content: "▸" / ""; color: var(--faint); text-align: right; } .steps [open] > summary::before { content: "▾"; content: "▾" / ""; }
.steps summary:focus-visible { outline-offset: -2px; }
.number { color: var(--faint); text-align: right; font-variant-numeric: tabular-nums; }
.time { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.steps summary .name { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; } .steps [open] > summary .name { white-space: normal; }
.steps rect { fill: var(--done); stroke: var(--done); stroke-width: 1.5; } .steps line { stroke: var(--faint); stroke-width: 1.5; stroke-dasharray: 1.5 3; }
.steps .critical rect { fill: var(--critical); stroke: var(--critical); } .steps .critical .time { color: var(--critical); }
.steps .cached rect { fill: none; stroke: var(--cached); } .steps .cached .time, .steps .unused .time, .steps .unused .name { color: var(--faint); }
.steps .failed rect, .steps .canceled rect { fill: var(--failed); stroke: var(--failed); } .steps .failed .time, .steps .canceled .time { color: var(--failed); }
.steps .near > details > summary { background: var(--near); }
.body { padding: .1rem 0 .8rem calc(2rem + var(--number, 5ch)); } .body dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .2rem 0; } .body dt { color: var(--faint); } .body dd { margin: 0; min-width: 0; }
.warnings summary { cursor: pointer; } .warnings details > :not(summary) { margin-left: 1rem; }
@media screen and (max-width: 50rem) { .axis, .steps summary { grid-template-columns: .8rem var(--number, 5ch) 1fr auto; } .axis svg { grid-column: 1 / -1; } .axis text:nth-child(even) { display: none; } .steps summary svg { grid-column: 1 / -1; grid-row: 2; } .body { padding-left: 1rem; } }
@media print { :root { font-size: 11px; color-scheme: light; --back: #fff; --text: #000; --faint: #444; --line: #bbb; --raised: #f4f4f4; --done: #3b82d6; --critical: #b4540a; --cached: #777; --failed: #c00; --good: #060; --link: #000; --near: none; }
  body { padding: 0; max-width: none; } .filter, .skip { display: none; } .axis { position: static; } pre { max-height: none; } a { text-decoration: none; }
  .steps > li { break-inside: avoid; } .steps > li:has([open]) { break-inside: auto; } h2 { break-after: avoid; } tr { break-inside: avoid; }
  .steps summary { padding-block: 0; } .steps summary .name { white-space: normal; } .scroll { overflow: visible; } .warnings details::details-content { content-visibility: visible; block-size: auto; } .steps summary::before { content: "" !important; }
  .axis, .steps summary { grid-template-columns: 0 2rem minmax(6rem, 5fr) minmax(8rem, 6fr) 6.5rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

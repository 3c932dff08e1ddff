/** The one style of the page; its hash stands in the page's policy. Colours have a contrast of at least 4.5 to their ground. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#f3f4f6;--line:#c4c9d1;--good:#17602a;--bad:#a8071a;--dim:#565d68;--link:#0b4fb3;--l0:#0b4fb3;--l1:#8a3b00;--l2:#17602a;--l3:#7b1fa2;--l4:#006a6a;--l5:#9c1458}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e8eaed;--paper:#15181c;--soft:#22272e;--line:#4a515c;--good:#7bd88f;--bad:#ff9a94;--dim:#aeb6c2;--link:#8ab8ff;--l0:#8ab8ff;--l1:#ffb27a;--l2:#7bd88f;--l3:#d8a6ff;--l4:#6fdede;--l5:#ff9ccd}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1,h2,h3,h4{line-height:1.25;margin:1.5em 0 .5em}h1{margin-top:.2em}
h4{margin:1.1em 0 .3em;font-size:1em}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,.wide:focus-visible{outline:3px solid var(--link);outline-offset:2px}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;padding:0}
nav a{display:inline-block;padding:.3rem 0}
ul,ol{margin:.2em 0;padding-left:1.3em}
dl{margin:.3em 0}dl div{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:0 .8rem;padding:.15rem 0}
dt{color:var(--dim)}dd{margin:0;min-width:0}
code,pre{font:.875em/1.45 ui-monospace,monospace}
pre{margin:.3rem 0;padding:.6rem;background:var(--soft);border:1px solid var(--line);white-space:pre-wrap;overflow:auto;max-height:24rem}
summary{cursor:pointer;padding:.2rem 0}
details.hash{display:inline-block;vertical-align:top;max-width:100%}details.hash summary{padding:0}
.badge{display:inline-block;padding:0 .4em;border:1px solid currentColor;border-radius:.3em;font-size:.8125em;white-space:nowrap;color:var(--dim)}
.badge.proven{color:var(--good)}
.badge.failed,.badge.missing,.badge.altered{color:var(--bad);font-weight:700;border-width:2px}
.mark{color:var(--bad)}
.alarm,.fine,.note{padding:.5rem .8rem;border-left:.4rem solid var(--dim);background:var(--soft)}
.alarm{border-color:var(--bad);color:var(--bad);font-weight:700}.alarm p{margin:.2rem 0}.fine{border-color:var(--good)}
.wide{overflow-x:auto;max-width:100%;margin:.5rem 0}
table{border-collapse:collapse;min-width:100%;font-size:.9375em}
caption{padding:0}caption span{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
td ul{margin:0}td li+li{margin-top:.1em}
th,td{text-align:left;vertical-align:top;padding:.35rem .5rem;border-bottom:1px solid var(--line);min-width:4rem;max-width:26rem;overflow-wrap:break-word}
time{white-space:nowrap}
thead th{background:var(--soft)}
.action{border-top:2px solid var(--line);margin-top:2rem;content-visibility:auto;contain-intrinsic-size:auto 70rem}
:target{outline:3px solid var(--link);outline-offset:3px}
bdi{unicode-bidi:isolate}
svg{display:block;max-width:none}
svg text{font:14px system-ui,sans-serif;fill:var(--ink);unicode-bidi:isolate;white-space:pre}
svg a text{fill:var(--link);text-decoration:underline}
svg path.principal,svg path.delegation,svg path.approval{fill:none;stroke:var(--c);stroke-width:2.5}
svg path.principal{stroke-width:4}svg path.approval{stroke-dasharray:4 3}
svg .person,svg .node,svg .permit{fill:var(--c)}
svg .deny,svg .ask,svg .bad{fill:var(--paper);stroke:var(--c);stroke-width:2.5}
svg .deny,svg .bad{stroke:var(--bad)}svg .bad{stroke-width:4}
.l0{--c:var(--l0)}.l1{--c:var(--l1)}.l2{--c:var(--l2)}.l3{--c:var(--l3)}.l4{--c:var(--l4)}.l5{--c:var(--l5)}
@media (max-width:40rem){body{padding:.6rem}dl div{grid-template-columns:1fr}h1{font-size:1.5rem}}
@media screen and (max-width:40rem){thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}table,tbody,tr,th,td{display:block;max-width:100%}tr{padding:.4rem 0;border-bottom:1px solid var(--line)}th,td{border:0;padding:.1rem 0}td::before{content:attr(data-of)": ";color:var(--dim)}}
@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--soft:#fff}body{max-width:none;font-size:11px}details::details-content{content-visibility:visible;block-size:auto}pre{max-height:none}.wide{overflow:visible}table{font-size:.9em}th,td{min-width:0;padding:.2rem .3rem}td time{white-space:normal}.badge{border:0;padding:0}svg text{font-size:11px}details.hash summary{display:none}summary{list-style:none}.action{break-inside:auto;content-visibility:visible}h3,h4{break-after:avoid}a{color:inherit}nav{display:none}:target{outline:0}}
`;

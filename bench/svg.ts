// What the plots share.

/** For light and dark pages. */
export const STYLE = `
  svg { font: 12px system-ui, sans-serif; --page: #fff; --ink: #15202b; --quiet: #51606e; --line: #dde4ea; --roof: #1b5a8c; --first: #1b5a8c; --second: #b3541e; }
  @media (prefers-color-scheme: dark) { svg { --page: #18212a; --ink: #e3eaf0; --quiet: #9fb0be; --line: #303d49; --roof: #7db7e8; --first: #7db7e8; --second: #f0a878; } }
  .page { fill: var(--page); } text { fill: var(--ink); } .quiet { fill: var(--quiet); } .grid { stroke: var(--line); } .roof { stroke: var(--roof); stroke-width: 2; fill: none; }
  .first { fill: var(--first); } .second { fill: var(--second); } .number { fill: var(--page); font-size: 10px; font-weight: 600; text-anchor: middle; }
  .title { font-weight: 600; font-size: 14px; } .end { text-anchor: end; } .middle { text-anchor: middle; }`;

/** Text for an SVG. */
export const escaped = (raw: string): string => raw.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

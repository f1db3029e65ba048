/** Passages that one pass reads, `from` to before `to`; it gives the vectors of those from `ownFrom` to before `ownTo`. */
export interface Window {
  from: number;
  to: number;
  ownFrom: number;
  ownTo: number;
  /** Of all that it reads. */
  tokens: number;
}

/**
 * Windows over passages of so many `tokens`, none with more than `room`; neighbours share up to `overlap` tokens. A passage belongs to the window that
 * reads more around it.
 */
export function windowsOf(tokens: number[], room: number, overlap: number): Window[] {
  const windows: Window[] = [];
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    let used = 0;
    do used += tokens[to++];
    while (to < tokens.length && used + tokens[to] <= room);
    windows.push({ from, to, ownFrom: from, ownTo: to, tokens: used });
    if (to === tokens.length) break;
    let next = to;
    // One that begins where this one does would read the same again, so at least one passage is left out.
    for (let shared = tokens[to - 1]; next > from + 1 && shared <= overlap; shared += tokens[next - 1]) next--;
    // The next one must reach further than this one.
    let ahead = tokens.slice(next, to + 1).reduce((sum, n) => sum + n, 0);
    while (next < to && ahead > room) ahead -= tokens[next++];
    from = next;
  }
  for (const [i, window] of windows.entries()) {
    if (i === 0) continue;
    const before = windows[i - 1];
    before.ownTo = window.ownFrom = Math.ceil((window.from + before.to) / 2);
  }
  return windows;
}

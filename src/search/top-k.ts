/** The `size` rows with the largest scores, of rows that are offered in ascending order; of equal scores the earlier row stays. */
export class TopK {
  /** A row needs a larger score to be taken. */
  least = -Infinity;
  private length = 0;
  /** A binary heap, the worst row at its root. */
  private readonly rows: Uint32Array;
  private readonly scores: Float64Array;

  constructor(size: number) {
    this.rows = new Uint32Array(size);
    this.scores = new Float64Array(size);
  }

  offer(row: number, score: number): void {
    if (!(score > this.least)) return;
    const { rows, scores } = this;
    const isFull = this.length === rows.length;
    let at = isFull ? 0 : this.length++;
    if (isFull) {
      for (let child = 1; child < this.length; child = 2 * at + 1) {
        if (child + 1 < this.length && this.isWorse(child + 1, child)) child++;
        if (scores[child] >= score) break; // rows ascend, so of equal scores this one is worse
        this.move(child, at);
        at = child;
      }
    } else {
      for (let parent = (at - 1) >> 1; at > 0 && scores[parent] >= score; parent = (at - 1) >> 1) {
        this.move(parent, at);
        at = parent;
      }
    }
    rows[at] = row;
    scores[at] = score;
    if (this.length === rows.length) this.least = scores[0];
  }

  /** Best first. */
  sorted(): { row: number; score: number }[] {
    return Array.from({ length: this.length }, (_, i) => ({ row: this.rows[i], score: this.scores[i] })).sort(
      (a, b) => b.score - a.score || a.row - b.row,
    );
  }

  private isWorse(i: number, j: number): boolean {
    return this.scores[i] < this.scores[j] || (this.scores[i] === this.scores[j] && this.rows[i] > this.rows[j]);
  }

  private move(from: number, to: number): void {
    this.rows[to] = this.rows[from];
    this.scores[to] = this.scores[from];
  }
}

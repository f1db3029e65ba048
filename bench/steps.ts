// How far a measurement is, for whoever shows it.

/** What runs, and how far it is. */
export interface Step {
  /** Another one begins anew. */
  what: string;
  done?: number;
  total?: number;
  /** A noun in the singular. */
  unit?: string;
}

/** Gives what is to hear of the tokens of every run, which take most of the time; says how many of `total` have run. */
export function tokenSteps(what: string, total: number, onStep: (step: Step) => void): (tokens: number) => void {
  let done = 0;
  const ran = (tokens: number) => {
    done += tokens;
    onStep({ what, done, total, unit: 'token' });
  };
  ran(0);
  return ran;
}

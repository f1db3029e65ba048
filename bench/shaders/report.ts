// What the compilers said about every variant, as a table, and what is wrong with it.

/** What compile-wgsl.mjs wrote about one variant. Neither: it compiles. */
export interface Outcome {
  name: string;
  error?: string;
  /** The feature that the device does not have. */
  lacks?: string;
}

export interface Compiled {
  compiler: string;
  /** What the compiler called itself. */
  adapter: string;
  outcomes: { design: string; outcome: Outcome }[];
}

/** Why a compiler cannot compile some variants. Each must be true of one at least. */
export interface Impossible {
  compiler: string;
  /** In its message, or the feature that its device lacks. */
  error?: RegExp;
  lacks?: string;
  reason: string;
}

const explains = ({ compiler, error, lacks }: Impossible, by: string, outcome: Outcome): boolean =>
  compiler === by &&
  (outcome.lacks === undefined ? error?.test(outcome.error ?? '') === true : lacks === outcome.lacks);

const isFine = ({ error, lacks }: Outcome) => error === undefined && lacks === undefined;

/** Refusals without a reason, one line per design, and reasons without a refusal. */
export function problemsOf(compiled: Compiled[], impossible: Impossible[]): string[] {
  return compiled.flatMap(({ compiler, outcomes }) => {
    const known = impossible.filter((entry) => entry.compiler === compiler);
    const refused = outcomes.filter(({ outcome }) => !isFine(outcome));
    const unexplained = refused.filter(({ outcome }) => !known.some((entry) => explains(entry, compiler, outcome)));
    return [
      ...(outcomes.length === 0 ? [`${compiler}: nothing was compiled`] : []),
      ...[...new Set(unexplained.map(({ design }) => design))].map((design) => {
        const own = unexplained.filter((entry) => entry.design === design);
        const { name, error, lacks } = own[0].outcome;
        return `${compiler} refuses ${own.length} of ${design}. The first is ${name}: ${error ?? `it needs ${lacks}`}`;
      }),
      ...known
        .filter((entry) => !refused.some(({ outcome }) => explains(entry, compiler, outcome)))
        .map(({ reason }) => `${compiler} refuses nothing for the reason '${reason}'. Remove it from the list.`),
    ];
  });
}

/** Markdown: a row per design, a column per compiler, and the reasons by number. */
export function table(compiled: Compiled[], impossible: Impossible[]): string {
  const designs = [...new Set(compiled.flatMap(({ outcomes }) => outcomes.map(({ design }) => design)))].sort(
    new Intl.Collator('en', { numeric: true }).compare,
  );
  const cell = (design: string, { compiler, outcomes }: Compiled): string => {
    const own = outcomes.filter((entry) => entry.design === design).map(({ outcome }) => outcome);
    if (own.length === 0) return '';
    const refused = own.filter((outcome) => !isFine(outcome));
    const byReason = [...impossible, undefined].flatMap((entry, i) => {
      const count = refused.filter(
        (outcome) => impossible.find((known) => explains(known, compiler, outcome)) === entry,
      ).length;
      return count > 0 ? [entry ? `${count} not (${i + 1})` : `${count} REFUSED`] : [];
    });
    return [...(own.length > refused.length ? [`${own.length - refused.length}`] : []), ...byReason].join(', ');
  };
  const rows = [
    ['shader, tile', ...compiled.map(({ compiler }) => compiler)],
    ['---', ...compiled.map(() => '---')],
    ...designs.map((design) => [design, ...compiled.map((column) => cell(design, column))]),
    [
      '**all**',
      ...compiled.map(
        ({ outcomes }) => `${outcomes.filter(({ outcome }) => isFine(outcome)).length} of ${outcomes.length}`,
      ),
    ],
  ];
  const reasons = impossible.flatMap(({ compiler, reason }, i) =>
    compiled.some((column) => column.compiler === compiler) ? [`(${i + 1}) ${compiler}: ${reason}.`] : [],
  );
  return `${rows.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n\n${reasons.join('\n\n')}\n`;
}

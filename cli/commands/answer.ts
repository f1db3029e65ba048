import { textField } from '../input';
import { lineCommand } from '../line-command';

export const answer = lineCommand({
  summary: 'Find the part of a context that answers a question, with a question answering model.',
  details:
    'Reads {"question": "…", "context": "…"}, writes {"line": 1, "id": …, "answers": [{"answer", "score", "start", "end"}]}, best\nfirst; offsets are in UTF-16 code units of the context. Long contexts are read in windows, so --truncate changes nothing.',
  options: {
    'question-field': { value: 'NAME', help: 'field that holds the question (question)' },
    'context-field': { value: 'NAME', help: 'field that holds the context (context)' },
    'top-k': { value: 'N', help: 'number of answers to write (1)' },
    'max-answer-length': { value: 'N', help: 'most tokens of an answer (15)' },
    'max-tokens': { value: 'N', help: "most tokens of a window, question included (the model's limit)" },
    'handle-impossible': { help: 'let the empty answer take part' },
  },
  job(values) {
    const questionField = values.text('question-field') ?? 'question';
    const contextField = values.text('context-field') ?? 'context';
    const options = {
      topK: values.count('top-k'),
      maxAnswerLength: values.count('max-answer-length'),
      maxTokens: values.count('max-tokens'),
      handleImpossible: values.flag('handle-impossible'),
    };
    return {
      writes: ['answers'],
      sample: () => ({ question: 'a', context: 'a' }),
      read: (row) => ({ question: textField(row, questionField), context: textField(row, contextField) }),
      async run(model, inputs, { truncate: _, ...callOptions }) {
        const [questions, contexts] = [inputs.map(({ question }) => question), inputs.map(({ context }) => context)];
        const found = await model.answer(questions, contexts, { ...options, ...callOptions });
        return found.map((answers) => ({ answers }));
      },
    };
  },
});

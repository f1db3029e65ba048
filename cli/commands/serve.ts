import { env } from 'node:process';
import type { Model } from 'modernbert-webgpu/node';
import { type Command, type Invocation, type Option, UsageError, type Values } from '../command';
import { MODEL_OPTIONS, modelLoader } from '../model';
import { type Guards, isLoopback } from '../serve/guards';
import { callsOf, namedSources, type ServedModel } from '../serve/models';
import type { Limits } from '../serve/route';
import { startServer } from '../serve/server';

const KEY_VARIABLE = 'MODERNBERT_WEBGPU_API_KEY';

/** OpenAI's clients send up to 2048 texts at once; the library divides them into passes, and lets short calls go between. */
const BATCH_SIZE = 2048;
const REQUESTS = 128;
const PAYLOAD = 16_000_000;
const TIMEOUT = 300;
const GRACE = 10;
/** Seconds: a day. */
const LONGEST = 86_400;
const PORT = 8080;

const SERVE_OPTIONS: Record<string, Option> = {
  host: { value: 'ADDRESS', help: 'address to listen on; 0.0.0.0 is all of the machine (127.0.0.1)' },
  port: { value: 'N', help: `port; 0 is any that is free (${PORT})` },
  'api-key': { value: 'KEY', help: `requests must have it: Authorization: Bearer KEY (${KEY_VARIABLE})` },
  cors: { value: 'A,B', help: 'origins whose pages may use the server, such as https://example.org; * is all (none)' },
  'max-client-batch-size': { value: 'N', help: `most texts of a request (${BATCH_SIZE})` },
  'max-concurrent-requests': { value: 'N', help: `requests at a time; more are told to come again (${REQUESTS})` },
  'payload-limit': { value: 'BYTES', help: `most bytes of a request's body (${PAYLOAD})` },
  timeout: { value: 'SECONDS', help: `most time for a request (${TIMEOUT})` },
  grace: { value: 'SECONDS', help: `time for requests under way when the server is stopped (${GRACE})` },
  'auto-truncate': { help: "cut texts above the model's limit where the request does not say" },
};

export const serve: Command = {
  summary: 'Answer requests over HTTP as OpenAI and text-embeddings-inference do.',
  args: ['MODEL'],
  rest: 'MODEL',
  details: `MODEL is a folder (./name), a URL, or a model on the Hugging Face Hub (org/name); NAME=MODEL gives it another name.
Requests choose one by "model", by default the first that can do what is asked.

  POST /v1/embeddings, GET /v1/models                           as OpenAI
  POST /v1/rerank                                               as Jina and Cohere
  POST /embed, /embed_sparse, /predict, /rerank, /tokenize      as text-embeddings-inference
  GET /info, /health, /metrics                                  the same

Ctrl-C or SIGTERM stops it: requests under way are answered first.`,
  options: { ...SERVE_OPTIONS, ...MODEL_OPTIONS },
  run,
};

async function run({ args, rest, values, signal }: Invocation): Promise<void> {
  const sources = namedSources([...args, ...rest]);
  const loaders = sources.map(({ source }) => modelLoader(source, values));
  const limits = limitsOf(values);
  const guards = guardsOf(values);
  const port = portOf(values);
  const grace = milliseconds(values, 'grace') ?? GRACE * 1000;
  const log = (text: string) => console.error(text);

  const loaded: Model[] = [];
  const models: ServedModel[] = [];
  try {
    for (const [i, { id }] of sources.entries()) {
      const model = await loaders[i](signal);
      loaded.push(model);
      models.push({ id, model, calls: await callsOf(id, model, signal), loaded: Math.floor(Date.now() / 1000) });
    }
    const server = await startServer({ models, limits, guards, port, log });
    log(`Serving ${models.map(({ id, calls }) => `${id} (${[...calls].join(', ')})`).join(', ')} at ${server.url}`);
    if (!isLoopback(guards.host) && guards.apiKey === undefined) {
      log(`Whoever reaches ${guards.host} can use it: set ${KEY_VARIABLE}, or listen on 127.0.0.1.`);
    }
    await new Promise((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', resolve);
    });
    log('Stopping.');
    await server.stop(grace);
  } finally {
    for (const model of loaded) await model.dispose();
  }
}

const limitsOf = (values: Values): Limits => ({
  batchSize: values.count('max-client-batch-size') ?? BATCH_SIZE,
  requests: values.count('max-concurrent-requests') ?? REQUESTS,
  payload: values.count('payload-limit') ?? PAYLOAD,
  timeout: milliseconds(values, 'timeout') ?? TIMEOUT * 1000,
  truncate: values.flag('auto-truncate'),
});

/** A timer of more than 2^31 ms would fire at once. */
function milliseconds(values: Values, name: string): number | undefined {
  const seconds = values.count(name);
  if (seconds === undefined || seconds <= LONGEST) return seconds && seconds * 1000;
  throw new UsageError(`--${name} can be ${LONGEST} seconds at most, but is ${seconds}.`);
}

function guardsOf(values: Values): Guards {
  const apiKey = values.text('api-key') ?? env[KEY_VARIABLE];
  if (apiKey === '') throw new UsageError(`${KEY_VARIABLE} is empty: unset it, or give it a key.`);
  const origins = values.list('cors') ?? [];
  const wrong = origins.find(
    (origin) => origin !== '*' && !(URL.canParse(origin) && new URL(origin).origin === origin),
  );
  if (wrong !== undefined) {
    throw new UsageError(`--cors must have origins such as https://example.org, without a path, but has '${wrong}'.`);
  }
  return { host: values.text('host') ?? '127.0.0.1', apiKey, origins };
}

function portOf(values: Values): number {
  const text = values.text('port') ?? String(PORT);
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`--port must be an integer from 0 to 65535, but is '${text}'.`);
}

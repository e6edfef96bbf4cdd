type Members = Readonly<Record<string, unknown>>;

/**
 * Fetches a chat completion and reads its body before its status, because gateways send errors with HTTP 200. Such a response gets the status of its error.
 * Token counts that are texts become numbers, and a list of content parts becomes text.
 */
export async function fetchCompletion(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  if (response.status !== 200) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  // The body is decoded here, so these no longer describe it.
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  const { status, body } = readBody(text);
  return new Response(body, { status, headers });
}

function readBody(text: string): { readonly status: number; readonly body: string } {
  const body = parseObject(text);
  if (body === null) return { status: 200, body: text };
  const [choice] = Array.isArray(body['choices']) ? (body['choices'] as readonly unknown[]) : [];
  const error = [body['error'], isObject(choice) ? choice['error'] : null].find((each) => isObject(each) || typeof each === 'string');
  if (error !== undefined) {
    const given = isObject(error) ? error : { message: error };
    const { code, type } = given;
    const said = { ...given, message: typeof given['message'] === 'string' ? given['message'] : JSON.stringify(given) };
    return { status: statusOf(code, type), body: JSON.stringify({ error: said }) };
  }
  const message = isObject(choice) && isObject(choice['message']) ? choice['message'] : null;
  const hasParts = message !== null && Array.isArray(message['content']);
  const hasTexts = isObject(body['usage']) && /:"/.test(JSON.stringify(body['usage']));
  if (!hasParts && !hasTexts) return { status: 200, body: text };
  const choices = hasParts
    ? [{ ...(choice as Members), message: { ...message, content: joinParts(message['content']) } }]
    : body['choices'];
  return { status: 200, body: JSON.stringify({ ...body, choices, usage: readCounts(body['usage']) }) };
}

/** Returns the HTTP status that an error in a body stands for. An error of unknown kind is one of the server, which is tried again. */
function statusOf(code: unknown, type: unknown): number {
  const status = Number(code);
  if (Number.isInteger(status) && status >= 400 && status <= 599) return status;
  const words = `${String(code)} ${String(type)}`;
  if (/rate_?limit|quota/i.test(words)) return 429;
  if (/api_key|authentication/i.test(words)) return 401;
  return /invalid|context_length|content_filter|content_policy/i.test(words) ? 400 : 500;
}

const joinParts = (parts: unknown): string =>
  (parts as readonly unknown[])
    .map((part) => {
      if (typeof part === 'string') return part;
      return isObject(part) && typeof part['text'] === 'string' ? part['text'] : '';
    })
    .join('');

/** Returns usage with its counts as numbers. A text that is not a number is left out. */
function readCounts(usage: unknown): unknown {
  if (typeof usage === 'string') return usage.trim() !== '' && Number.isFinite(Number(usage)) ? Number(usage) : undefined;
  return isObject(usage) ? Object.fromEntries(Object.entries(usage).map(([name, count]) => [name, readCounts(count)])) : usage;
}

function parseObject(text: string): Members | null {
  try {
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);

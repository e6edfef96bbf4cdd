import type { FaultName } from './faults.ts';
import { completion, type Asked, type Reply } from './wire.ts';

const fiveMegabytes = 5 * 1024 * 1024;

/** How a fault shows. */
export function unwell(fault: FaultName | undefined, { request }: Asked, key: string): Reply | undefined {
  const answered = (text: string, finishReason?: string): Reply => ({
    kind: 'sent',
    status: 200,
    ...completion(request, text, finishReason),
  });
  const tooMany = (headers: Readonly<Record<string, string>>) => failed(429, 'Rate limit reached', 'rate_limit_exceeded', headers);
  switch (fault) {
    case undefined:
      return undefined;
    case 'rate-limit':
      return tooMany({ 'retry-after': '1' });
    case 'rate-limit-bare':
      return tooMany({});
    case 'rate-limit-ms':
      return tooMany({ 'retry-after': '60', 'retry-after-ms': '150' });
    case 'rate-limit-date':
      return tooMany({ 'retry-after': new Date(Date.now() + 2_000).toUTCString() });
    case 'rate-limit-hour':
      return tooMany({ 'retry-after': '3600' });
    case 'server-error':
      return failed(500, 'The server had an error', 'server_error');
    case 'unavailable':
      return failed(503, 'The model is overloaded', 'overloaded', { 'retry-after-ms': '150' });
    case 'hang':
      return { kind: 'hang', status: 0 };
    case 'cut':
      return { kind: 'cut', status: 0 };
    case 'cut-body':
      return { kind: 'cut', status: 200, body: completion(request, 'Half of an').body ?? '' };
    case 'malformed-json':
      return { kind: 'sent', status: 200, body: '{"choices": [{"message": {"content": "unfinis' };
    case 'no-choices':
      return { kind: 'sent', status: 200, body: JSON.stringify({ id: 'completion', choices: [] }) };
    case 'wrong-schema':
      return answered('{"unasked":"for"}');
    case 'not-json':
      return answered('Certainly! Here is what you asked for.');
    case 'empty':
      return answered('');
    case 'length':
      return answered('', 'length');
    case 'filtered':
      return answered('I cannot', 'content_filter');
    case 'filter-error':
      return failed(400, 'The response was filtered due to the prompt triggering our content management policy', 'content_filter');
    case 'huge':
      return answered('0123456789abcdef'.repeat(fiveMegabytes / 16));
    case 'nul':
      return answered('before\u0000after');
    case 'context-length':
      return failed(400, "This model's maximum context length is 8192 tokens", 'context_length_exceeded');
    case 'bad-request':
      return failed(400, "Unsupported value: 'temperature'", 'unsupported_value');
    case 'echo':
      return failed(400, `Invalid value for 'messages': ${request.messages.at(-1)?.content}`, 'invalid_value');
    case 'model-not-found':
      return failed(404, `The model ${request.model} does not exist`, 'model_not_found');
    case 'unauthorized':
      return failed(401, `Incorrect API key provided: ${key}`, 'invalid_api_key');
    case 'forbidden':
      return failed(403, 'This key may not use this model', 'permission_denied');
    case 'payment-required':
      return failed(402, 'Payment required', 'payment_required');
    case 'insufficient-quota':
      return failed(429, 'You exceeded your current quota', 'insufficient_quota', { 'retry-after': '1' });
  }
}

const failed = (status: number, message: string, code: string, headers: Readonly<Record<string, string>> = {}): Reply => ({
  kind: 'sent',
  status,
  headers,
  body: JSON.stringify({ error: { message, type: code, code, param: null } }),
});

/** A chat-completions request, as far as it is looked at. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly seed?: number;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly response_format?: { readonly type: string; readonly json_schema?: { readonly schema: object } };
}

/** What is known of a request when its fault is chosen. */
export interface Asked {
  readonly key: string;
  readonly attempt: number;
  readonly request: ChatRequest;
  /** Which request of the server's it is, from 1. */
  readonly number: number;
}

/** What the server does with a request. */
export interface Reply {
  /** Answered, never answered, or cut off: after `body`, if there is one. */
  readonly kind: 'sent' | 'hang' | 'cut';
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tokens?: { readonly input: number; readonly output: number; readonly cached: number; readonly reasoning: number };
}

/** A completion's body, and what it is billed. */
export function completion(request: ChatRequest, text: string, finishReason = 'stop'): Pick<Reply, 'body' | 'tokens'> {
  const input = tokensOf(request.messages.map(({ content }) => content).join(' '));
  const reasoning = input % 3;
  const tokens = { input, output: tokensOf(text) + reasoning, cached: Math.floor(input / 4), reasoning };
  const body = JSON.stringify({
    id: 'completion',
    object: 'chat.completion',
    created: 0,
    model: request.model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finishReason }],
    usage: {
      prompt_tokens: tokens.input,
      completion_tokens: tokens.output,
      total_tokens: tokens.input + tokens.output,
      prompt_tokens_details: { cached_tokens: tokens.cached },
      completion_tokens_details: { reasoning_tokens: tokens.reasoning },
    },
  });
  return { body, tokens };
}

const tokensOf = (text: string): number => Math.ceil(text.length / 4);

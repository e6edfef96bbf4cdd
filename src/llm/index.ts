// Language models in pipelines: `distilog/llm`.
export type { CallSettings } from './call-settings.ts';
export type { ChatMessage, ChatMessageSchema } from './chat-message.ts';
export { chatGeneration, type ChatGenerationOptions, type ChatRow } from './chat-generation.ts';
export type { Generated, OneGeneration, SeveralGenerations, Written } from './generated.ts';
export { judge, type JudgeColumns, type JudgedRow, type JudgeOptions } from './judge.ts';
export type { Aspect } from './judge-aspects.ts';
export { languageModel, type AnyModel, type AnySdkModel, type LanguageModel, type LanguageModelOptions } from './language-model.ts';
export type { Caps } from './limiter.ts';
export type { Prompt } from './prompt.ts';
export { structuredGeneration, type Structured, type StructuredGenerationOptions } from './structured-generation.ts';
export { textGeneration, type AskedRow, type InstructionRow, type TextGenerationOptions } from './text-generation.ts';
export { hasPreference, toDpo, type DpoColumns, type DpoRow } from './to-dpo.ts';
export { toSft, type SftColumns, type SftRow } from './to-sft.ts';

/** A node of a template's syntax tree. */
interface SyntaxNode {
  readonly type: string;
  readonly value?: unknown;
  readonly [member: string]: unknown;
}

/** Names that are defined in every template. `strftime_now` is not one, because a prompt must depend only on its row. */
const builtIns = ['true', 'false', 'none', 'True', 'False', 'None', 'range', 'raise_exception', 'namespace'];

/**
 * Lists the names that a template requires from its row, in the order of their appearance. Names that it sets itself, tests (`is defined`) or has a default
 * for are not required.
 */
export function listFreeVariables(program: object): readonly string[] {
  const free = new Set<string>();
  const optional = new Set<string>();
  const walk = (part: unknown, bound: Set<string>): void => {
    if (Array.isArray(part)) {
      for (const item of part) walk(item, bound);
      return;
    }
    if (part instanceof Map) {
      for (const [key, value] of part) walk([key, value], bound);
      return;
    }
    if (isPart(part)) visit(part, bound);
  };
  const visit = (part: SyntaxNode, bound: Set<string>): void => {
    switch (part.type) {
      case 'Identifier':
        if (!bound.has(String(part.value))) free.add(String(part.value));
        return;
      case 'MemberExpression':
        walk(part['object'], bound);
        if (part['computed'] === true) walk(part['property'], bound);
        return;
      case 'KeywordArgumentExpression':
        walk(part.value, bound);
        return;
      case 'FilterExpression':
        if (['default', 'd'].includes(filterName(part['filter'])) && isName(part['operand'])) optional.add(String(part['operand'].value));
        else walk(part['operand'], bound);
        walk(callArguments(part['filter']), bound);
        return;
      case 'FilterStatement':
        walk(callArguments(part['filter']), bound);
        walk(part['body'], new Set(bound));
        return;
      case 'TestExpression':
        if (isPart(part['test']) && ['defined', 'undefined'].includes(String(part['test'].value)) && isName(part['operand']))
          optional.add(String(part['operand'].value));
        else walk(part['operand'], bound);
        return;
      case 'For': {
        const inner = new Set([...bound, 'loop', ...listNames(part['loopvar'])]);
        // `for x in xs if x.ok` filters by the loop's own variable. The parser puts it in place of the list.
        if (isPart(part['iterable']) && part['iterable'].type === 'SelectExpression') {
          walk(part['iterable']['lhs'], bound);
          walk(part['iterable']['test'], inner);
        } else walk(part['iterable'], bound);
        walk(part['body'], inner);
        walk(part['defaultBlock'], new Set(bound));
        return;
      }
      case 'Set':
        walk(part.value, bound);
        walk(part['body'], new Set(bound));
        if (isName(part['assignee'])) bound.add(String(part['assignee'].value));
        else if (isPart(part['assignee']) && part['assignee'].type === 'TupleLiteral')
          for (const name of listNames(part['assignee'])) bound.add(name);
        else walk(part['assignee'], bound);
        return;
      case 'Macro': {
        for (const name of listNames(part['name'])) bound.add(name);
        const parameters = part['args'] as readonly SyntaxNode[];
        for (const parameter of parameters) if (parameter.type === 'KeywordArgumentExpression') walk(parameter.value, bound);
        walk(part['body'], new Set([...bound, 'caller', ...parameters.flatMap((parameter) => listNames(parameter['key'] ?? parameter))]));
        return;
      }
      case 'CallStatement':
        walk(part['call'], bound);
        walk(part['body'], new Set([...bound, ...listNames(part['callerArgs'])]));
        return;
      default:
        for (const [name, member] of Object.entries(part)) if (name !== 'type') walk(member, bound);
    }
  };
  walk((program as { readonly body?: unknown }).body, new Set(builtIns));
  return [...free].filter((name) => !optional.has(name));
}

const isPart = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';

const isName = (value: unknown): value is SyntaxNode => isPart(value) && value.type === 'Identifier';

/** Lists the names that an assignment target binds: `a`, `(a, b)`, `[a, b]`. */
function listNames(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(listNames);
  if (!isPart(value)) return [];
  return value.type === 'Identifier' ? [String(value.value)] : listNames(value.value);
}

function filterName(filter: unknown): string {
  if (!isPart(filter)) return '';
  return isName(filter) ? String(filter.value) : filterName(filter['callee']);
}

const callArguments = (filter: unknown): unknown => (isPart(filter) && filter.type === 'CallExpression' ? filter['args'] : []);

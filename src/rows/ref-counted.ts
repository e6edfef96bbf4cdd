/**
 * Shares one lazily created value between concurrent users, and drops it when the last of them finishes, because the value may take much memory.
 * A creation that fails rejects all users that wait for it.
 */
export function refCounted<Value>(create: () => Promise<Value>): <Result>(use: (value: Value) => Promise<Result>) => Promise<Result> {
  let value: Promise<Value> | undefined;
  let users = 0;
  return async (use) => {
    value ??= create();
    users++;
    try {
      return await use(await value);
    } finally {
      users--;
      if (users === 0) value = undefined;
    }
  };
}

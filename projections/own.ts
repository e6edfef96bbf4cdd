/** A member that an object has of its own, not of `Object.prototype`: steps and models are called as their users like, `constructor` included. */
export const own = <T>(members: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(members, name) ? members[name] : undefined;

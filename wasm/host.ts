/** What the host does for the module: the child of `node` whose key is the text of [start, end), decoded; 0 for none. */
export declare function decodedChild(node: usize, start: usize, end: usize): usize;

// The scores of Sphinx, and less for pages that answer few questions of users: those about the project, and the methods
// whose text is that of the function.
const PROJECT = /^(add-an-operator|benchmarks|changes|contributing|data|design|measuring|project|tests)$/;
const METHOD = /^api\/generated\/polars\.(Expr|Series)\./;

var Scorer = {
  score: ([docname, , , , score]) => score - (PROJECT.test(docname) ? 12 : METHOD.test(docname) ? 6 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};

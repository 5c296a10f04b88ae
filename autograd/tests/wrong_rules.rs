//! Would the registry's checks notice a wrong rule? Every rule is broken in every way, one at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
};
use wengert_autograd::check::{Entry, Gradcheck, Mutation, examine, registry, rules_run, with_mutation};

/// Rules that a change leaves right although the gradients come out different, with the reason.
const EQUIVALENT: &[(&str, Mutation, &str)] = &[];

/// A rule like that of `mul` runs in half of all operations; this many are asked.
const MOST: usize = 8;

#[test]
fn every_broken_rule_is_caught() {
    // Entries that run a rule, those named like it first: they are the likeliest to notice.
    let mut entries: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    for entry in registry() {
        let (_, rules) = rules_run(|| _ = examine(&entry, &Gradcheck::new()));
        for rule in rules {
            let users = entries.entry(rule).or_default();
            if rule == entry.name { users.insert(0, entry) } else { users.push(entry) }
        }
    }
    let (mut caught, mut inapplicable, mut survived, mut equivalent) = (0, 0, Vec::new(), BTreeSet::new());
    for (rule, users) in &entries {
        for mutation in Mutation::ALL {
            let mut applied = false;
            let noticed = users.iter().take(MOST).any(|entry| {
                let (fails, changed) = with_mutation(rule, mutation, || fails(entry));
                applied |= changed;
                changed && fails
            });
            match (noticed, applied) {
                (true, _) => caught += 1,
                (false, false) => inapplicable += 1,
                (false, true) if EQUIVALENT.iter().any(|(r, m, _)| r == rule && *m == mutation) => {
                    equivalent.insert(*rule);
                }
                (false, true) => survived.push(format!("{rule}: {mutation:?}")),
            }
        }
    }
    println!(
        "{} rules: {caught} mutants caught, {} equivalent, {inapplicable} that change nothing",
        entries.len(),
        equivalent.len()
    );
    assert!(survived.is_empty(), "nobody noticed\n  {}", survived.join("\n  "));
}

/// Does any check of the operation fail? Stops at the first that does.
fn fails(entry: &Entry) -> bool {
    entry.samples().iter().any(|sample| {
        (1..=sample.highest_order().min(2)).any(|order| {
            let check = Gradcheck::new().order(order);
            let attempt = catch_unwind(AssertUnwindSafe(|| sample.check(sample.draw(1), &check)));
            !matches!(attempt, Ok(Ok(report)) if report.passed())
        })
    })
}

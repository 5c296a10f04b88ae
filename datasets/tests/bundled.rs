//! The bundled sets are what their documentation says.

use std::collections::HashSet;

use wengert_datasets::bundled::{self, Classification};
use wengert_datasets::split;
use wengert_datasets::table::TableError;

type Outcome = Result<(), TableError>;

fn counts(set: &Classification) -> Vec<usize> {
    let class = |class: usize| set.labels.iter().filter(|&label| label == class as i64).count();
    (0..set.class_names.len()).map(class).collect()
}

#[test]
fn classification() -> Outcome {
    let iris = bundled::iris()?;
    assert_eq!((iris.features.shape(), counts(&iris)), (&[150, 4][..], vec![50, 50, 50]));
    let wine = bundled::wine()?;
    assert_eq!((wine.features.shape(), counts(&wine)), (&[178, 13][..], vec![59, 71, 48]));
    let cancer = bundled::breast_cancer()?;
    assert_eq!((cancer.features.shape(), counts(&cancer)), (&[569, 30][..], vec![357, 212]));
    assert_eq!(cancer.class_names, ["benign", "malignant"]);
    let digits = bundled::digits()?;
    assert_eq!((digits.features.shape(), digits.class_names.len()), (&[1797, 64][..], 10));
    assert_eq!(digits.features.iter().fold(0.0, f32::max), 16.0);
    Ok(())
}

#[test]
fn regression() -> Outcome {
    let diabetes = bundled::diabetes()?;
    assert_eq!((diabetes.features.shape(), diabetes.targets.shape()), (&[442, 10][..], &[442][..]));
    let concrete = bundled::concrete()?;
    assert_eq!(concrete.features.shape(), [1030, 8]);
    assert_eq!(concrete.feature_names.last().map(String::as_str), Some("age"));
    let mixtures = bundled::concrete_mixtures(&concrete);
    let distinct = mixtures.iter().collect::<HashSet<_>>().len();
    assert!((400..450).contains(&distinct), "{distinct}");
    assert_eq!(split::group_k_fold(&mixtures, 5, 0).len(), 5);
    Ok(())
}

#[test]
fn tables_with_categories() -> Outcome {
    let penguins = bundled::penguins()?;
    assert_eq!((penguins.rows(), penguins.without_missing().rows()), (344, 333));
    assert_eq!(penguins.labels("species")?.1, ["Adelie", "Chinstrap", "Gentoo"]);
    let credit = bundled::german_credit()?;
    let (risk, names) = credit.labels("risk")?;
    assert_eq!((risk.iter().sum::<i64>(), names), (700, vec!["bad".to_string(), "good".into()]));
    let columns: Vec<&str> = credit.names().filter(|&name| name != "risk").collect();
    assert_eq!(columns.len(), 20);
    let features = credit.features(&columns)?;
    assert_eq!(features.values.shape(), [1000, features.names.len()]);
    Ok(())
}

#[test]
fn series() -> Outcome {
    let air = bundled::air_passengers()?;
    assert_eq!((air.values.len(), air.values.to_vec()[143]), (144, 432.0));
    assert_eq!((air.times[0].as_str(), air.times[143].as_str()), ("1949-01", "1960-12"));
    assert_eq!(bundled::sunspots()?.values.len(), 2820);
    Ok(())
}

#[test]
fn texts() -> Outcome {
    let sms = bundled::sms_spam()?;
    assert_eq!((sms.texts.len(), sms.labels.iter().sum::<i64>()), (4862, 642));
    assert_eq!(
        (sms.class_names.as_slice(), sms.without_repeats().texts.len()),
        (&["ham".to_string(), "spam".into()][..], 4534)
    );
    let authors = bundled::authors()?;
    assert_eq!((authors.texts.len(), authors.class_names.len()), (3600, 3));
    let novels = bundled::austen_novels()?;
    assert_eq!((novels.texts.len(), novels.class_names.len()), (1200, 6));
    let plays = bundled::shakespeare()?;
    assert_eq!((plays.chars().count(), plays.chars().collect::<HashSet<_>>().len()), (1_156_786, 80));
    let verses = bundled::verses()?;
    assert_eq!(verses.len(), 9633);
    assert_eq!(verses[0].1, "En el principio crió Dios los cielos y la tierra.");
    Ok(())
}

//! What `#[module(...)]` may say on a type and on a field.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Path, Result, Type};

/// Options of the type itself.
#[derive(Default)]
pub(crate) struct TypeOptions {
    /// `scalar = f64`: the number type of the parameters.
    pub(crate) scalar: Option<Type>,
    /// `crate = path`: where the trait lives.
    pub(crate) root: Option<Path>,
}

/// Options of one field.
#[derive(Default)]
pub(crate) struct FieldOptions {
    /// `skip`: the field is not visited.
    pub(crate) skip: bool,
    /// `rename = "name"`: the name under which it is visited.
    pub(crate) rename: Option<LitStr>,
}

/// Hands every option inside the `#[module(...)]` attributes among `attributes` to `read`.
fn each_option(
    attributes: &[Attribute],
    mut read: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("module")) {
        attribute.parse_nested_meta(|option| read(&option))?;
    }
    Ok(())
}

/// Stores an option's value once; a second mention is an error at the second place.
fn set_once<V>(slot: &mut Option<V>, value: V, option: &ParseNestedMeta<'_>) -> Result<()> {
    if slot.is_some() {
        return Err(Error::new_spanned(&option.path, "this option is given twice"));
    }
    *slot = Some(value);
    Ok(())
}

impl TypeOptions {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<TypeOptions> {
        let mut options = TypeOptions::default();
        each_option(attributes, |option| {
            if option.path.is_ident("scalar") {
                set_once(&mut options.scalar, option.value()?.parse()?, option)
            } else if option.path.is_ident("crate") {
                set_once(&mut options.root, option.value()?.call(Path::parse_mod_style)?, option)
            } else if option.path.is_ident("skip") || option.path.is_ident("rename") {
                Err(Error::new_spanned(&option.path, "this option belongs on a field"))
            } else {
                let message = "unknown option; on a type `scalar = TYPE` and `crate = PATH` are known";
                Err(Error::new_spanned(&option.path, message))
            }
        })?;
        Ok(options)
    }
}

impl FieldOptions {
    pub(crate) fn read(attributes: &[Attribute]) -> Result<FieldOptions> {
        let mut options = FieldOptions::default();
        each_option(attributes, |option| {
            if option.path.is_ident("skip") {
                options.skip = true;
                Ok(())
            } else if option.path.is_ident("rename") {
                let name: LitStr = option.value()?.parse()?;
                if name.value().is_empty() || name.value().contains('.') {
                    let message =
                        "a field's name must not be empty or hold a dot, which separates names in a path";
                    return Err(Error::new_spanned(&name, message));
                }
                set_once(&mut options.rename, name, option)
            } else if option.path.is_ident("scalar") || option.path.is_ident("crate") {
                Err(Error::new_spanned(&option.path, "this option belongs on the type"))
            } else {
                let message = "unknown option; on a field `skip` and `rename = \"name\"` are known";
                Err(Error::new_spanned(&option.path, message))
            }
        })?;
        match &options.rename {
            Some(name) if options.skip => {
                Err(Error::new_spanned(name, "a skipped field is not visited, so it has no name"))
            }
            _ => Ok(options),
        }
    }
}

/// Refuses `#[module(...)]` where it would be ignored.
pub(crate) fn refuse(attributes: &[Attribute]) -> Result<()> {
    match attributes.iter().find(|a| a.path().is_ident("module")) {
        Some(attribute) => Err(Error::new_spanned(
            attribute,
            "`module` has no options for a variant; put them on its fields",
        )),
        None => Ok(()),
    }
}

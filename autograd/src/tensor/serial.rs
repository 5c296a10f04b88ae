//! Tensors through serde: element type, shape, and the elements in row-major order.
//!
//! ```
//! use wengert_autograd::tensor::Tensor;
//!
//! let x = Tensor::from([[1.0_f32, 2.5], [3.0, 4.0]]);
//! let text = serde_json::to_string(&x.t()).unwrap();
//! assert_eq!(text, r#"{"dtype":"f32","shape":[2,2],"data":[1.0,3.0,2.5,4.0]}"#);
//! assert_eq!(serde_json::from_str::<Tensor<f32>>(&text).unwrap(), x.t());
//! assert!(serde_json::from_str::<Tensor<f32>>(&text.replace("[2,2]", "[2,9]")).is_err());
//! ```
//!
//! What comes in is not trusted: the shape must match the elements that really came, and no memory is set aside for
//! what a header merely announces. (JSON itself has no NaN and no infinity; binary formats keep them.)

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DType, Element, Tensor};

#[derive(Serialize)]
#[serde(rename = "Tensor")]
struct Outgoing<'a, E: Element> {
    dtype: DType,
    shape: &'a [usize],
    data: &'a [E],
}

#[derive(Deserialize)]
#[serde(rename = "Tensor", bound = "")]
struct Incoming<E: Element> {
    dtype: DType,
    shape: Vec<usize>,
    // A `Vec` reserves at most a megabyte on a mere promise, and grows as elements really come.
    data: Vec<E>,
}

impl<E: Element> Serialize for Tensor<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let packed = self.contiguous();
        let data = packed.as_slice().unwrap_or_default();
        Outgoing { dtype: E::DTYPE, shape: self.shape(), data }.serialize(serializer)
    }
}

impl<'de, E: Element> Deserialize<'de> for Tensor<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tensor<E>, D::Error> {
        let Incoming { dtype, shape, data } = Incoming::<E>::deserialize(deserializer)?;
        if dtype != E::DTYPE {
            return Err(D::Error::custom(format_args!(
                "a tensor of {dtype} where one of {} is expected",
                E::DTYPE
            )));
        }
        Tensor::from_vec(data, shape).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal<E: Element>(text: &str) -> String {
        serde_json::from_str::<Tensor<E>>(text).unwrap_err().to_string()
    }

    #[test]
    fn hostile_headers_are_refused() {
        let absurd = r#"{"dtype":"f32","shape":[4294967296,4294967296,4294967296],"data":[1.0]}"#;
        assert!(refusal::<f32>(absurd).contains("more elements than memory can address"));
        let short = r#"{"dtype":"i64","shape":[1000000000000],"data":[1]}"#;
        assert!(refusal::<i64>(short).contains("takes 1000000000000 elements, but 1 were given"));
        let deep = r#"{"dtype":"u8","shape":[1,1,1,1,1,1,1,1],"data":[1]}"#;
        assert!(refusal::<u8>(deep).contains("at most 7 axes"));
        let other = r#"{"dtype":"f64","shape":[1],"data":[1.0]}"#;
        assert!(refusal::<f32>(other).contains("a tensor of f64 where one of f32 is expected"));
        assert!(refusal::<f32>(r#"{"dtype":"f32","shape":[-1],"data":[]}"#).contains("invalid value"));
    }

    #[test]
    fn every_type_and_shape_comes_back() {
        fn there_and_back<E: Element>(x: Tensor<E>) {
            let text = serde_json::to_string(&x).unwrap();
            assert_eq!(serde_json::from_str::<Tensor<E>>(&text).unwrap(), x);
        }
        there_and_back(Tensor::scalar(0.1_f32));
        there_and_back(Tensor::<f64>::linspace(0.0, 1.0, 7).unsqueeze(0));
        there_and_back(Tensor::<i64>::zeros([2, 0, 3]));
        there_and_back(Tensor::from([[true, false]]));
        there_and_back(Tensor::<u8>::ones([3]).expand([2, 3]));
    }
}

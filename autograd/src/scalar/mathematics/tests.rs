use super::Mathematics;

#[test]
fn special_values() {
    assert_eq!(Mathematics::exp::<false>(f32::NEG_INFINITY), 0.0);
    assert_eq!(Mathematics::exp::<false>(f64::INFINITY), f64::INFINITY);
    assert!(Mathematics::tanh::<false>(-0.0_f32).is_sign_negative());
    assert_eq!(Mathematics::powf::<false>(f32::NAN, 0.0), 1.0);
}

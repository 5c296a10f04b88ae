/* The library of matrix products in PyTorch's x86 wheels, MKL, asks for the maker of the processor before it looks at the
   instruction set, and keeps AVX-512 for Intel's. These two functions, by which it asks, are looked up dynamically; with
   LD_PRELOAD they answer yes, and MKL runs as fast on AMD's processors as it can. It is the fairer bar for matrix
   products; PyTorch's users on such a processor get the slower path. (Convolutions and LSTMs go through oneDNN, which asks
   for the instruction set alone.) */
int mkl_serv_intel_cpu(void) { return 1; }
int mkl_serv_intel_cpu_true(void) { return 1; }
